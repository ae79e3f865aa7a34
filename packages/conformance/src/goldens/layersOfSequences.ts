// How torch layers with state over time, attention, resampling and the like are made here: the second part of the mapping
// of layers.json. Read before: layers.ts, which replays the cases.
import * as layers from '@nabla/layers'
import type { Tensor } from '@nabla/tensor'

// What a constructor's keywords hold is not known to the compiler.
// oxlint-disable-next-line typescript/no-explicit-any
type Keywords = Readonly<Record<string, any>>

/** A layer, the keywords that its mapping knows, and for layers whose calls have settings what becomes of those. */
export interface SequenceMapping {
  readonly keywords: readonly string[]
  readonly make: (keywords: Keywords) => layers.Module
  /** From a call's keywords, in which tensors stand already, to the last argument of `forward`. */
  readonly callOptions?: (keywords: Readonly<Record<string, Tensor>>) => object
}

function layer(keywords: string, make: SequenceMapping['make']): SequenceMapping {
  return { keywords: keywords.split(' '), make }
}

// All keywords but those that are arguments of their own, in the spelling they have here.
function options(keywords: Keywords, ...without: string[]): Record<string, never> {
  const entries = Object.entries(keywords)
    .filter(([name]) => !without.includes(name))
    .map(([name, value]) => [camelCase(name), value])
  return Object.fromEntries(entries)
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

const recurrentKeywords =
  'input_size hidden_size num_layers bias batch_first dropout bidirectional nonlinearity proj_size'
const transformerKeywords =
  'd_model nhead dim_feedforward dropout activation layer_norm_eps batch_first norm_first bias'
const convKeywords = 'in_channels out_channels kernel_size stride padding dilation groups bias'

// Keywords that are arguments of their own and no options.
const sizeNames =
  'in_channels out_channels kernel_size num_features num_embeddings embedding_dim size in1_features in2_features out_features num_parameters output_size'.split(
    ' ',
  )

/** Layers by the names that PyTorch has for them. */
export const sequenceMappings: Readonly<Record<string, SequenceMapping>> = {
  RNN: layer(recurrentKeywords, (k) => new layers.RNN(...sizesAndOptions(k))),
  LSTM: layer(recurrentKeywords, (k) => new layers.LSTM(...sizesAndOptions(k))),
  GRU: layer(recurrentKeywords, (k) => new layers.GRU(...sizesAndOptions(k))),
  RNNCell: layer(recurrentKeywords, (k) => new layers.RNNCell(...sizesAndOptions(k))),
  LSTMCell: layer(recurrentKeywords, (k) => new layers.LSTMCell(...sizesAndOptions(k))),
  GRUCell: layer(recurrentKeywords, (k) => new layers.GRUCell(...sizesAndOptions(k))),
  MultiheadAttention: {
    ...layer(
      'embed_dim num_heads dropout bias kdim vdim batch_first',
      (k) =>
        new layers.MultiheadAttention(
          k['embed_dim'],
          k['num_heads'],
          options(k, 'embed_dim', 'num_heads'),
        ),
    ),
    callOptions: (keywords) => options(keywords),
  },
  TransformerEncoderLayer: layer(
    transformerKeywords,
    (k) => new layers.TransformerEncoderLayer(k['d_model'], k['nhead'], options(k, 'd_model', 'nhead')),
  ),
  TransformerDecoderLayer: layer(
    transformerKeywords,
    (k) => new layers.TransformerDecoderLayer(k['d_model'], k['nhead'], options(k, 'd_model', 'nhead')),
  ),
  Bilinear: layer(
    'in1_features in2_features out_features bias',
    (k) => new layers.Bilinear(k['in1_features'], k['in2_features'], k['out_features'], options(k, ...sizeNames)),
  ),
  Conv3d: layer(
    `${convKeywords} padding_mode`,
    (k) => new layers.Conv3d(...channelsAndKernel(k), options(k, ...sizeNames)),
  ),
  ConvTranspose1d: layer(
    `${convKeywords} output_padding`,
    (k) => new layers.ConvTranspose1d(...channelsAndKernel(k), options(k, ...sizeNames)),
  ),
  ConvTranspose2d: layer(
    `${convKeywords} output_padding`,
    (k) => new layers.ConvTranspose2d(...channelsAndKernel(k), options(k, ...sizeNames)),
  ),
  ConvTranspose3d: layer(
    `${convKeywords} output_padding`,
    (k) => new layers.ConvTranspose3d(...channelsAndKernel(k), options(k, ...sizeNames)),
  ),
  BatchNorm3d: layer(
    'num_features eps momentum affine track_running_stats',
    (k) => new layers.BatchNorm3d(k['num_features'], options(k, ...sizeNames)),
  ),
  InstanceNorm1d: layer(
    'num_features eps affine',
    (k) => new layers.InstanceNorm1d(k['num_features'], options(k, ...sizeNames)),
  ),
  InstanceNorm2d: layer(
    'num_features eps affine',
    (k) => new layers.InstanceNorm2d(k['num_features'], options(k, ...sizeNames)),
  ),
  InstanceNorm3d: layer(
    'num_features eps affine',
    (k) => new layers.InstanceNorm3d(k['num_features'], options(k, ...sizeNames)),
  ),
  LocalResponseNorm: layer(
    'size alpha beta k',
    (k) => new layers.LocalResponseNorm(k['size'], options(k, ...sizeNames)),
  ),
  EmbeddingBag: layer(
    'num_embeddings embedding_dim mode padding_idx',
    (k) => new layers.EmbeddingBag(k['num_embeddings'], k['embedding_dim'], options(k, ...sizeNames)),
  ),
  PReLU: layer('num_parameters init', (k) => new layers.PReLU(k['num_parameters'], options(k, ...sizeNames))),
  GLU: layer('dim', (k) => new layers.GLU(k['dim'])),
  CELU: layer('alpha', (k) => new layers.CELU(k['alpha'])),
  Hardtanh: layer('min_val max_val', (k) => new layers.Hardtanh(k['min_val'], k['max_val'])),
  Hardsigmoid: layer('', () => new layers.Hardsigmoid()),
  Hardshrink: layer('lambd', (k) => new layers.Hardshrink(k['lambd'])),
  Softshrink: layer('lambd', (k) => new layers.Softshrink(k['lambd'])),
  Softsign: layer('', () => new layers.Softsign()),
  Tanhshrink: layer('', () => new layers.Tanhshrink()),
  LogSigmoid: layer('', () => new layers.LogSigmoid()),
  Softmin: layer('dim', (k) => new layers.Softmin(k['dim'])),
  Upsample: layer('size scale_factor mode align_corners', (k) => new layers.Upsample(options(k))),
  PixelShuffle: layer('upscale_factor', (k) => new layers.PixelShuffle(k['upscale_factor'])),
  PixelUnshuffle: layer('downscale_factor', (k) => new layers.PixelUnshuffle(k['downscale_factor'])),
  Unfold: layer(
    'kernel_size dilation padding stride',
    (k) => new layers.Unfold(k['kernel_size'], options(k, ...sizeNames)),
  ),
  Fold: layer(
    'output_size kernel_size dilation padding stride',
    (k) => new layers.Fold(k['output_size'], k['kernel_size'], options(k, ...sizeNames)),
  ),
  CosineSimilarity: layer('dim eps', (k) => new layers.CosineSimilarity(options(k))),
  PairwiseDistance: layer('p eps keepdim', (k) => new layers.PairwiseDistance(options(k))),
}

function channelsAndKernel(k: Keywords): [number, number, number | number[]] {
  return [k['in_channels'], k['out_channels'], k['kernel_size']]
}

function sizesAndOptions(k: Keywords): [number, number, Record<string, never>] {
  return [k['input_size'], k['hidden_size'], options(k, 'input_size', 'hidden_size')]
}
