// Tensors and Variables: creation, arithmetic, views, matrix products, random numbers and printing.
// The public face of @nabla/tensor: everything exported here is API, everything else is not.
export {}
