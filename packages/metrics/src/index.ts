// Streaming metrics over Nabla tensors: accuracy, precision, recall, F1 and more.
// The public face of @nabla/metrics: everything exported here is API, everything else is not.
export {}
