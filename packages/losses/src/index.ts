// Loss functions over Nabla tensors.
// The public face of @nabla/losses: everything exported here is API, everything else is not.
export {}
