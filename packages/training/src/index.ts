// A Trainer for Nabla models: fit, evaluate, predict, callbacks and a progress bar.
// The public face of @nabla/training: everything exported here is API, everything else is not.
export {}
