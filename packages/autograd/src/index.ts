// Gradients of Nabla tensors: backward, grad, valueAndGrad, customGradient and gradcheck.
// The public face of @nabla/autograd: everything exported here is API, everything else is not.
export {}
