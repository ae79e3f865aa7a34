// How torch layers are made here: the mapping of layers.json. A case gives the whole state, the inputs, and gradients of
// the outputs; compared are outputs, gradients of inputs and parameters, and buffers afterwards.
// Read before: format.ts, compare.ts.
import { grad } from '@nabla/autograd'
import * as layers from '@nabla/layers'
import { flush, Tensor, type Variable } from '@nabla/tensor'
import { expectNumbers, expectTensor, type Tolerance } from './compare.ts'
import { sequenceMappings, type SequenceMapping } from './layersOfSequences.ts'
import {
  elementsOf,
  MissingFeature,
  outcomeOf,
  toTensor,
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  type Outcome,
} from './format.ts'

type Named = Readonly<Record<string, GoldenTensor>>

/** A case of layers.json. */
export interface LayerCase extends GoldenCase {
  readonly layer: string
  readonly ctor: Readonly<Record<string, unknown>>
  readonly training: boolean
  readonly calls: number
  readonly state: Named
  readonly inputs: Named
  /** Names of the inputs, in the order of the arguments; a list is a tuple. */
  readonly call: readonly (string | readonly string[])[]
  readonly callKwargs?: Readonly<Record<string, unknown>>
  readonly outputs: readonly (GoldenTensor | null)[]
  readonly cotangents?: readonly (GoldenTensor | null)[]
  readonly grads?: Readonly<Record<string, GoldenTensor | null>>
  readonly paramGrads?: Readonly<Record<string, GoldenTensor | null>>
  readonly buffersAfter?: Named
}

// What a constructor's keywords hold is not known to the compiler.
// oxlint-disable-next-line typescript/no-explicit-any
type Keywords = Readonly<Record<string, any>>
type Make = (keywords: Keywords) => layers.Module

// Sums over many elements, and the deviations of their variances.
const tolerance: Tolerance = { relative: 2e-4, absolute: 2e-5 }

/** Keywords that every mapping understands, by the spelling they have here. */
function options(keywords: Keywords, ...names: string[]): Record<string, never> {
  const entries = names
    .filter((name) => keywords[name] !== undefined)
    .map((name) => [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), keywords[name]])
  return Object.fromEntries(entries)
}

const convOptions = ['stride', 'padding', 'dilation', 'groups', 'bias', 'padding_mode']
const batchNormOptions = ['eps', 'momentum', 'affine', 'track_running_stats']

/** A layer, and the keywords that its mapping knows; a case with others is missing. */
interface LayerMapping {
  readonly keywords: readonly string[]
  readonly make: Make
}

function layer(keywords: string, make: Make): LayerMapping {
  return { keywords: keywords.split(' '), make }
}

/** The layers that exist here. */
const mappings: Readonly<Record<string, LayerMapping>> = {
  Linear: layer('in_features out_features bias', (k) => new layers.Linear(k['in_features'], k['out_features'], options(k, 'bias'))),
  Conv1d: layer(
    `in_channels out_channels kernel_size ${convOptions.join(' ')}`,
    (k) => new layers.Conv1d(k['in_channels'], k['out_channels'], k['kernel_size'], options(k, ...convOptions)),
  ),
  Conv2d: layer(
    `in_channels out_channels kernel_size ${convOptions.join(' ')}`,
    (k) => new layers.Conv2d(k['in_channels'], k['out_channels'], k['kernel_size'], options(k, ...convOptions)),
  ),
  BatchNorm1d: layer(
    `num_features ${batchNormOptions.join(' ')}`,
    (k) => new layers.BatchNorm1d(k['num_features'], batchNorm(k)),
  ),
  BatchNorm2d: layer(
    `num_features ${batchNormOptions.join(' ')}`,
    (k) => new layers.BatchNorm2d(k['num_features'], batchNorm(k)),
  ),
  LayerNorm: layer(
    'normalized_shape eps elementwise_affine bias',
    (k) => new layers.LayerNorm(k['normalized_shape'], { ...options(k, 'eps', 'bias'), ...affine(k) }),
  ),
  RMSNorm: layer(
    'normalized_shape eps elementwise_affine',
    (k) => new layers.RMSNorm(k['normalized_shape'], { ...options(k, 'eps'), ...affine(k) }),
  ),
  GroupNorm: layer(
    'num_groups num_channels eps affine',
    (k) => new layers.GroupNorm(k['num_groups'], k['num_channels'], options(k, 'eps', 'affine')),
  ),
  Embedding: layer(
    'num_embeddings embedding_dim padding_idx',
    (k) => new layers.Embedding(k['num_embeddings'], k['embedding_dim'], options(k, 'padding_idx')),
  ),
  Flatten: layer('start_dim end_dim', (k) => new layers.Flatten(k['start_dim'], k['end_dim'])),
  Unflatten: layer('dim unflattened_size', (k) => new layers.Unflatten(k['dim'], k['unflattened_size'])),
  Dropout: layer('p', (k) => new layers.Dropout(k['p'])),
  MaxPool2d: layer('kernel_size stride padding', (k) => new layers.MaxPool2d(k['kernel_size'], options(k, 'stride', 'padding'))),
  AvgPool2d: layer('kernel_size stride padding', (k) => new layers.AvgPool2d(k['kernel_size'], options(k, 'stride', 'padding'))),
  Identity: layer('', () => new layers.Identity()),
  ReLU: layer('inplace', () => new layers.ReLU()),
  ReLU6: layer('inplace', () => new layers.ReLU6()),
  LeakyReLU: layer('negative_slope', (k) => new layers.LeakyReLU(k['negative_slope'])),
  ELU: layer('alpha', (k) => new layers.ELU(k['alpha'])),
  SELU: layer('', () => new layers.SELU()),
  GELU: layer('approximate', (k) => new layers.GELU(options(k, 'approximate'))),
  SiLU: layer('', () => new layers.SiLU()),
  Mish: layer('', () => new layers.Mish()),
  Sigmoid: layer('', () => new layers.Sigmoid()),
  Tanh: layer('', () => new layers.Tanh()),
  Softplus: layer('beta threshold', (k) => new layers.Softplus(options(k, 'beta', 'threshold'))),
  Hardswish: layer('', () => new layers.Hardswish()),
  Softmax: layer('dim', (k) => new layers.Softmax(k['dim'])),
  LogSoftmax: layer('dim', (k) => new layers.LogSoftmax(k['dim'])),
}

function affine(keywords: Keywords): { affine?: boolean } {
  return keywords['elementwise_affine'] === undefined ? {} : { affine: keywords['elementwise_affine'] as boolean }
}

// A momentum of null means something, so it must not be left out as other absent keywords are.
function batchNorm(keywords: Keywords): layers.BatchNormLayerOptions {
  return options(keywords, ...batchNormOptions)
}

/** Replays all cases of layers.json. */
export async function replayLayers(file: GoldenFile<LayerCase>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const test of file.cases) outcomes.push(await outcomeOf(test.id, () => replay(test)))
  return outcomes
}

function makeLayer(test: LayerCase): layers.Module {
  const name = test.layer.replace('torch.nn.', '')
  if (name === 'Sequential') return sequentialOf(test.note ?? '')
  const found = mappingOf(name)
  if (found === undefined) throw new MissingFeature(`there is no ${test.layer} here`)
  const unknown = Object.keys(test.ctor).filter((keyword) => !found.keywords.includes(keyword))
  if (unknown.length > 0) throw new MissingFeature(`${test.layer} has no ${unknown.join(', ')} here`)
  if (hasCallOptions(test) && found.callOptions === undefined) throw new MissingFeature(`${test.layer} takes no options here`)
  const made = found.make(test.ctor)
  if (/weight_norm/.test(test.note ?? '')) return layers.weightNorm(made)
  if (/spectral_norm/.test(test.note ?? '')) return layers.spectralNorm(made)
  return made
}

function mappingOf(name: string): SequenceMapping | undefined {
  return mappings[name] ?? sequenceMappings[name]
}

function hasCallOptions(test: LayerCase): boolean {
  return Object.keys(test.callKwargs ?? {}).length > 0
}

/** What a layer's forward takes last, where a call has keywords: values, or `{ $: name }` for an input. */
function callOptionsOf(test: LayerCase, inputs: Readonly<Record<string, Tensor>>): unknown[] {
  if (!hasCallOptions(test)) return []
  const entries = Object.entries(test.callKwargs ?? {}).map(([keyword, value]) => {
    const input = (value as { $?: string } | null)?.$
    return [keyword, input === undefined ? value : inputs[input]]
  })
  const mapping = mappingOf(test.layer.replace('torch.nn.', ''))
  return [mapping!.callOptions!(Object.fromEntries(entries))]
}

/** The chain that a note such as `Sequential(Linear(5,7), ReLU, Linear(7,4), Sigmoid)` describes. */
function sequentialOf(note: string): layers.Module {
  const inner = /^Sequential\((.*)\)$/.exec(note)?.[1]
  if (inner === undefined) throw new MissingFeature(`cannot read the chain '${note}'`)
  const members = [...inner.matchAll(/(\w+)(?:\(([^)]*)\))?/g)].map(([, name, sizes]) => {
    const numbers = sizes === undefined ? [] : sizes.split(',').map(Number)
    if (name === 'Linear') return new layers.Linear(numbers[0]!, numbers[1]!)
    const found = mappingOf(name!)
    if (found === undefined || numbers.length > 0) throw new MissingFeature(`${name} within a chain`)
    return found.make({})
  })
  return new layers.Sequential(...(members as layers.Layer[]))
}

async function replay(test: LayerCase): Promise<void> {
  const module = makeLayer(test).train(test.training)
  module.loadStateDict(
    Object.fromEntries(Object.entries(test.state).map(([name, golden]) => [name, toTensor(golden)])),
  )
  const inputs = Object.fromEntries(
    Object.entries(test.inputs).map(([name, golden]) => {
      const requiresGrad = test.grads?.[name] !== undefined && test.grads[name] !== null
      return [name, toTensor(golden, requiresGrad ? { requiresGrad } : {})]
    }),
  )
  const given = test.call.map((name) => (typeof name === 'string' ? inputs[name]! : name.map((each) => inputs[each]!)))
  const args = [...given, ...callOptionsOf(test, inputs)]
  let outputs: Tensor[] = []
  for (let call = 0; call < test.calls; call++) {
    // Before another call the buffers of the one before are written, as a training step would do it.
    if (call > 0) flush()
    const returned = (module.forward as (...args: unknown[]) => unknown).apply(module, args)
    outputs = (returned instanceof Tensor ? [returned] : (returned as unknown[]).flat()) as Tensor[]
  }
  const gradients = gradientsOf(test, module, inputs, outputs)
  // Everything is asked for in one tick: afterwards the buffers have changed, and older values could not be computed.
  const checks = test.outputs.map((expected, i) =>
    expected === null ? null : expectTensor(`output ${i}`, outputs[i]!, expected, tolerance),
  )
  await Promise.all([
    ...checks,
    ...gradients.map(async ({ name, gradient, expected }) => {
      expectNumbers(`gradient of ${name}`, await gradient.data(), elementsOf(expected), tolerance)
    }),
  ])
  const state = module.stateDict()
  for (const [name, expected] of Object.entries(test.buffersAfter ?? {})) {
    await expectTensor(`${name} afterwards`, state[name]!.value, expected, tolerance)
  }
  for (const variable of Object.values(state)) variable.dispose()
}

interface Gradient {
  readonly name: string
  readonly gradient: Tensor
  readonly expected: GoldenTensor
}

function gradientsOf(
  test: LayerCase,
  module: layers.Module,
  inputs: Readonly<Record<string, Tensor>>,
  outputs: readonly Tensor[],
): Gradient[] {
  if (test.cotangents === undefined) return []
  const state: Readonly<Record<string, Variable>> = module.stateDict()
  const wanted = [
    ...Object.entries(test.grads ?? {}).map(([name, expected]) => ({ name, source: inputs[name]!, expected })),
    ...Object.entries(test.paramGrads ?? {}).map(([name, expected]) => ({ name, source: state[name]!, expected })),
  ].filter((entry): entry is typeof entry & { expected: GoldenTensor } => entry.expected !== null)
  const used = outputs.flatMap((output, i) => {
    const cotangent = test.cotangents![i]
    return cotangent === null || cotangent === undefined ? [] : [{ output, cotangent: toTensor(cotangent) }]
  })
  const gradients = grad(
    used.map(({ output }) => output),
    wanted.map(({ source }) => source),
    { gradOutputs: used.map(({ cotangent }) => cotangent), allowUnused: true },
  )
  return wanted.map(({ name, expected }, i) => ({ name, expected, gradient: gradients[i]! }))
}
