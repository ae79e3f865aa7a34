// Data for training: datasets, loaders, readers of IDX and CSV files, standardisation.
export { CsvTable, parseCsv, readCsv, type CsvOptions } from './csv.ts'
export {
  ArrayDataset,
  concatDatasets,
  mapDataset,
  randomSplit,
  subset,
  type Batch,
  type Dataset,
  type FieldData,
  type FieldInput,
} from './dataset.ts'
export { decompress, readBytes } from './files.ts'
export { encodeIdx, parseIdx, readIdx, type IdxArray } from './idx.ts'
export { DataLoader, type DataLoaderOptions } from './loader.ts'
export { StandardScaler, type Matrix } from './scaler.ts'
export { permutation } from './shuffle.ts'
