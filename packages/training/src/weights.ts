// A model's weights in files: what `model.stateDict()` names, in safetensors format, so that other tools can read it.
// Read next: safetensors.ts.
import type { LoadOptions, LoadResult, Module } from '@nabla/layers'
import { readFile, requireFiles, writeFileAtomically } from './files.ts'
import { decodeSafetensors, encodeSafetensors, type HostTensor } from './safetensors.ts'

/**
 * Writes all parameters and buffers of a model into a safetensors file. The file is written whole or not at all.
 * @throws BackendError where there are no files (see {@link encodeSafetensors})
 * @throws ValueError when the file cannot be written
 */
export async function saveWeights(
  model: Module,
  path: string,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  requireFiles('saveWeights')
  const bytes = encodeSafetensors(await copyState(model), metadata)
  await writeFileAtomically('saveWeights', path, bytes)
}

/**
 * Reads a safetensors file into a model. Everything is checked before anything is changed.
 * @param options `strict: false` lets names be missing or unexpected
 * @throws BackendError where there are no files (see {@link decodeSafetensors})
 * @throws ValueError for a file that cannot be read or is damaged, and for names that do not fit the model
 * @throws ShapeError for shapes that do not fit the model
 */
export async function loadWeights(
  model: Module,
  path: string,
  options: LoadOptions = {},
): Promise<LoadResult> {
  const bytes = await readFile('loadWeights', path)
  return model.loadStateDict(decodeSafetensors(bytes, path).tensors, options)
}

/**
 * A copy of all parameters and buffers on the host: for {@link encodeSafetensors}, and for `model.loadStateDict` later on.
 */
export async function copyState(model: Module): Promise<Record<string, HostTensor>> {
  const copies: [string, HostTensor][] = []
  for (const [name, variable] of Object.entries(model.stateDict())) {
    copies.push([name, { data: await variable.read(), shape: variable.shape, dtype: variable.dtype }])
  }
  return Object.fromEntries(copies)
}
