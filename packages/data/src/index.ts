// Datasets, batching loaders, and readers for IDX and CSV files.
// The public face of @nabla/data: everything exported here is API, everything else is not.
export {}
