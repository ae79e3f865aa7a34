// Neural network layers for Nabla tensors, and the Module they are made of.
// The public face of @nabla/layers: everything exported here is API, everything else is not.
export {}
