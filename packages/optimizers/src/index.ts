// Optimizers for Nabla parameters: SGD, Adam, AdamW and gradient clipping.
// The public face of @nabla/optimizers: everything exported here is API, everything else is not.
export {}
