// Deep learning for TypeScript: all of Nabla behind one import.
// The public face of nabla: everything exported here is API, everything else is not.
export {}
