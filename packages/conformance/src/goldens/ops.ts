// How torch functions are called here: the mapping of ops.json. Left the torch name with the names of its parameters,
// right the call. What is not listed does not exist here (yet) and counts as missing.
// Read before: replay.ts. Read next: spatialOps.ts, run.ts.
import { hvp, jacobian } from '@nabla/autograd'
import {
  arange,
  cat,
  einsum,
  full,
  linspace,
  logspace,
  meshgrid,
  scatterReduce,
  stack,
  tensordot,
  type Index,
  Variable,
  type Tensor,
} from '@nabla/tensor'
import { MissingFeature } from './format.ts'
import { matrixAndSignalOps } from './matrixAndSignalOps.ts'
import { mapping, type CallCase, type Given, type Mapping } from './replay.ts'
import { spatialOps } from './spatialOps.ts'

// Functions of one tensor that have the same name there and here, but for the spelling.
const unaryNames =
  'exp expm1 exp2 log log2 log10 log1p sqrt rsqrt square reciprocal neg abs sign floor ceil trunc round frac sin cos tan asin ' +
  'acos atan sinh cosh tanh asinh acosh atanh sigmoid sinc erf erfc erfinv lgamma digamma i0 deg2rad rad2deg ' +
  'logical_not bitwise_not'
const functionalNames = 'relu relu6 selu silu mish softsign hardsigmoid hardswish tanhshrink logsigmoid tanh sigmoid'
const binaryNames =
  'mul maximum minimum atan2 hypot logaddexp xlogy fmod remainder floor_divide copysign heaviside eq ne lt le gt ge ' +
  'logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift pow ' +
  'matmul bmm dot outer kron'

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function sameName(prefix: string, names: string, parameters: string): Record<string, Mapping> {
  const [first, ...rest] = parameters.split(' ')
  return Object.fromEntries(
    names.split(' ').map((name) => [
      `${prefix}${name}`,
      mapping(parameters, (given) => given[first!][camelCase(name)](...rest.map((parameter) => given[parameter]))),
    ]),
  )
}

const elementwise: Record<string, Mapping> = {
  ...sameName('torch.', unaryNames, 'x'),
  ...sameName('F.', functionalNames, 'x'),
  ...sameName('torch.', binaryNames, 'a b'),
  'torch.isnan': mapping('x', ({ x }) => x.isNaN()),
  'torch.isfinite': mapping('x', ({ x }) => x.isFinite()),
  'torch.isinf': mapping('x', ({ x }) => x.isInf()),
  'torch.isclose': mapping('a b rtol atol equal_nan', ({ a, b, rtol, atol, equal_nan }) =>
    a.isClose(b, { rtol, atol, equalNaN: equal_nan }),
  ),
  'torch.nan_to_num': mapping('x nan posinf neginf', ({ x, ...options }) => x.nanToNum(options)),
  'torch.logit': mapping('x eps', ({ x, eps }) => x.logit(eps)),
  'torch.polygamma': mapping('n x', ({ n, x }) => x.polygamma(n)),
  'torch.special.polygamma': mapping('n x', ({ n, x }) => x.polygamma(n)),
  'torch.add': mapping('a b alpha', ({ a, b, alpha }) => a.add(alpha === undefined ? b : scaled(b, alpha))),
  'torch.sub': mapping('a b alpha', ({ a, b, alpha }) => a.sub(alpha === undefined ? b : scaled(b, alpha))),
  'torch.div': mapping('a b rounding_mode', ({ a, b, rounding_mode: roundingMode }) => a.div(b, { roundingMode })),
  'torch.lerp': mapping('a b weight', ({ a, b, weight }) => a.lerp(b, weight)),
  'torch.addcmul': mapping('x a b value', ({ x, a, b, value }) => x.addcmul(a, b, { value })),
  'torch.addcdiv': mapping('x a b value', ({ x, a, b, value }) => x.addcdiv(a, b, { value })),
  'torch.clamp': mapping('x min max', ({ x, min, max }) => x.clamp({ min, max })),
  'torch.where': mapping('condition a b', ({ condition, a, b }) => condition.where(a, b)),
  'F.leaky_relu': mapping('x negative_slope', ({ x, negative_slope }) => x.leakyRelu(negative_slope)),
  'F.elu': mapping('x alpha', ({ x, alpha }) => x.elu(alpha)),
  'F.celu': mapping('x alpha', ({ x, alpha }) => x.celu(alpha)),
  'F.softplus': mapping('x beta threshold', ({ x, beta, threshold }) => x.softplus({ beta, threshold })),
  'F.gelu': mapping('x approximate', ({ x, approximate }) => x.gelu({ approximate })),
  'F.hardtanh': mapping('x min_val max_val', ({ x, min_val, max_val }) => x.hardtanh(min_val, max_val)),
  'F.hardshrink': mapping('x lambd', ({ x, lambd }) => x.hardshrink(lambd)),
  'F.softshrink': mapping('x lambd', ({ x, lambd }) => x.softshrink(lambd)),
  'F.threshold': mapping('x threshold value', ({ x, threshold, value }) => x.threshold(threshold, value)),
  'F.prelu': mapping('x weight', ({ x, weight }) => x.prelu(alongChannels(weight, x.rank))),
  'F.glu': mapping('x dim', ({ x, dim }) => x.glu(dim)),
}

function scaled(b: Tensor | number, alpha: number): Tensor | number {
  return typeof b === 'number' ? b * alpha : b.mul(alpha)
}

/** A vector with an entry per channel, so that it broadcasts along dimension 1 of a tensor of some rank. */
function alongChannels(vector: Tensor, rank: number): Tensor {
  return vector.size === 1 || rank < 3 ? vector : vector.reshape([-1, ...Array.from({ length: rank - 2 }, () => 1)])
}

function reduction(name: string): Mapping {
  return mapping('x dim keepdim', ({ x, dim, keepdim }) => x[name](dim, { keepdim }))
}

/** torch.max and torch.min give positions as well once a dimension is named. */
function extreme(name: 'max' | 'min'): Mapping {
  return mapping('x dim keepdim', ({ x, dim, keepdim }) => {
    if (dim === undefined) return x[name]()
    if (typeof dim !== 'number') return x[name === 'max' ? 'maximum' : 'minimum'](dim)
    // A single position gets the whole gradient there; equal extremes share it here.
    return [x[name](dim, { keepdim }), x[`arg${name}`](dim, { keepdim })]
  })
}

const reductions: Record<string, Mapping> = {
  ...Object.fromEntries(
    ['sum', 'mean', 'prod', 'amax', 'amin', 'any', 'all', 'logsumexp', 'argmax', 'argmin'].map((name) => [
      `torch.${name}`,
      reduction(name),
    ]),
  ),
  'torch.max': extreme('max'),
  'torch.min': extreme('min'),
  'torch.var': mapping('x dim correction keepdim unbiased', ({ x, dim, ...options }) => x.var(dim, variance(options))),
  'torch.std': mapping('x dim correction keepdim unbiased', ({ x, dim, ...options }) => x.std(dim, variance(options))),
  'torch.var_mean': mapping('x dim correction keepdim', ({ x, dim, ...options }) => {
    const both = x.varMean(dim, variance(options))
    return [both.variance, both.mean]
  }),
  'torch.linalg.vector_norm': mapping('x ord dim keepdim', ({ x, ord, dim, keepdim }) => x.norm(dim, { p: ord, keepdim })),
  'torch.linalg.matrix_norm': mapping('x ord dim keepdim', ({ x, ord, dim, keepdim }) => {
    if (ord !== undefined && ord !== 'fro') throw new MissingFeature(`matrix norm ${String(ord)}`)
    return x.norm(dim ?? [-2, -1], { keepdim })
  }),
  'torch.median': mapping('x dim keepdim', ({ x, dim, keepdim }) => {
    if (dim === undefined) return x.median()
    const middle = Math.ceil(x.shape.at(dim) / 2)
    return [x.median(dim, { keepdim }), x.kthvalue(middle, dim, { keepdim }).indices]
  }),
  'torch.kthvalue': mapping('x k dim keepdim', ({ x, k, dim, keepdim }) => pairOf(x.kthvalue(k, dim, { keepdim }))),
  'torch.quantile': mapping('x q dim keepdim interpolation', ({ x, q, dim, ...options }) => x.quantile(q, dim, options)),
  'torch.cumsum': mapping('x dim', ({ x, dim }) => x.cumsum(dim)),
  'torch.cumprod': mapping('x dim', ({ x, dim }) => x.cumprod(dim)),
  'torch.logcumsumexp': mapping('x dim', ({ x, dim }) => x.logcumsumexp(dim)),
  'torch.cummax': mapping('x dim', ({ x, dim }) => pairOf(x.cummax(dim))),
  'torch.cummin': mapping('x dim', ({ x, dim }) => pairOf(x.cummin(dim))),
}

function variance({ correction, unbiased, keepdim }: Given): { correction?: number; keepdim?: boolean } {
  return { correction: correction ?? (unbiased === false ? 0 : 1), keepdim }
}

function pairOf({ values, indices }: { values: Tensor; indices: Tensor }): Tensor[] {
  return [values, indices]
}

const products: Record<string, Mapping> = {
  'torch.baddbmm': mapping('x a b beta alpha', ({ x, a, b, beta, alpha }) => x.baddbmm(a, b, { beta, alpha })),
  'torch.addmm': mapping('x a b beta alpha', ({ x, a, b, beta, alpha }) => x.addmm(a, b, { beta, alpha })),
  'torch.einsum': mapping('expression ...operands', ({ expression, operands }) => einsum(expression, ...operands)),
  'torch.tensordot': mapping('a b dims', ({ a, b, dims }) => tensordot(a, b, dims)),
  'torch.trace': mapping('x', ({ x }) => x.trace()),
  'torch.linalg.matrix_power': mapping('x n', ({ x, n }) => x.matrixPower(n)),
  'torch.cdist': mapping('a b p', ({ a, b, p }) => a.cdist(b, p)),
  'F.linear': mapping('x weight bias', ({ x, weight, bias }) => x.linear(weight, bias)),
}

const indexing: Record<string, Mapping> = {
  'torch.gather': mapping('x dim index', ({ x, dim, index }) => x.gather(dim, index)),
  'torch.scatter': mapping('x dim index src', ({ x, dim, index, src }) => x.scatter(dim, index, src)),
  'torch.scatter_add': mapping('x dim index src', ({ x, dim, index, src }) => x.scatterAdd(dim, index, src)),
  'torch.index_select': mapping('x dim index', ({ x, dim, index }) => x.indexSelect(dim, index)),
  'torch.index_add': mapping('x dim index src', ({ x, dim, index, src }) => x.indexAdd(dim, index, src)),
  'torch.index_copy': mapping('x dim index src', ({ x, dim, index, src }) => x.indexCopy(dim, index, src)),
  'torch.index_fill': mapping('x dim index value', ({ x, dim, index, value }) => x.indexFill(dim, index, value)),
  'torch.masked_fill': mapping('x mask value', ({ x, mask, value }) => x.maskedFill(mask, value)),
  'torch.take_along_dim': mapping('x index dim', ({ x, index, dim }) => x.gather(dim, index)),
  'torch.take': mapping('x index', ({ x, index }) => x.take(index)),
  'torch.scatter_reduce': mapping('x dim index src reduce include_self', ({ x, dim, index, src, reduce, include_self: includeSelf }) =>
    scatterReduce(x, dim, index, src, { reduce, includeSelf }),
  ),
  'F.embedding': mapping('index weight padding_idx', ({ index, weight, padding_idx: paddingIdx }) =>
    weight.embedding(index, { paddingIdx }),
  ),
  'F.embedding_bag': mapping('index weight mode', ({ index, weight, mode }) => weight.embeddingBag(index, { mode })),
  'torch.searchsorted': mapping('sorted values right', ({ sorted, values, right }) => sorted.searchsorted(values, { right })),
  'torch.bucketize': mapping('values boundaries right', ({ values, boundaries, right }) => values.bucketize(boundaries, { right })),
  'F.one_hot': mapping('index num_classes', ({ index, num_classes }) => index.oneHot(num_classes)),
  'torch.topk': mapping('x k dim largest sorted', ({ x, k, dim, largest }) => pairOf(x.topk(k, dim, { largest }))),
  'torch.sort': mapping('x dim descending stable', ({ x, dim, descending }) => pairOf(x.sort(dim, { descending }))),
  'torch.argsort': mapping('x dim descending stable', ({ x, dim, descending }) => x.argsort(dim, { descending })),
  getitem: mapping('x index', ({ x, index }) => x.at(...(index as unknown[]).map(indexOf))),
}

/** An entry of a Python index as this library writes it. */
function indexOf(entry: unknown): Index {
  if (entry === undefined || entry === null) return null
  if (typeof entry === 'number' || Array.isArray(entry)) return entry as Index
  if (typeof entry === 'object' && '$ellipsis' in entry) return '...'
  const [start, stop, step] = (entry as { $slice: (number | null)[] }).$slice
  return [start ?? '', stop ?? '', ...(step === null ? [] : [step])].join(':')
}

const shapes: Record<string, Mapping> = {
  'torch.reshape': mapping('x shape', ({ x, shape }) => x.reshape(shape)),
  'torch.permute': mapping('x dims', ({ x, dims }) => x.permute(dims)),
  'torch.transpose': mapping('x dim0 dim1', ({ x, dim0, dim1 }) => x.transpose(dim0, dim1)),
  'torch.swapaxes': mapping('x axis0 axis1', ({ x, axis0, axis1 }) => x.swapaxes(axis0, axis1)),
  'torch.movedim': mapping('x source destination', ({ x, source, destination }) => x.movedim(source, destination)),
  'torch.squeeze': mapping('x dim', ({ x, dim }) => x.squeeze(dim)),
  'torch.unsqueeze': mapping('x dim', ({ x, dim }) => x.unsqueeze(dim)),
  'torch.flatten': mapping('x start_dim end_dim', ({ x, start_dim, end_dim }) => x.flatten(start_dim, end_dim)),
  'torch.unflatten': mapping('x dim sizes', ({ x, dim, sizes }) => x.unflatten(dim, sizes)),
  'torch.broadcast_to': mapping('x size', ({ x, size }) => x.broadcastTo(size)),
  'torch.roll': mapping('x shifts dims', ({ x, shifts, dims }) => x.roll(shifts, dims)),
  'torch.flip': mapping('x dims', ({ x, dims }) => x.flip(dims)),
  'torch.tril': mapping('x diagonal', ({ x, diagonal }) => x.tril(diagonal)),
  'torch.triu': mapping('x diagonal', ({ x, diagonal }) => x.triu(diagonal)),
  'torch.diag': mapping('x diagonal', ({ x, diagonal }) => x.diag(diagonal)),
  'torch.diagonal': mapping('x offset dim1 dim2', ({ x, offset, dim1, dim2 }) => x.diagonal(offset, dim1, dim2)),
  'torch.diag_embed': mapping('x offset', ({ x, offset }) => x.diagEmbed(offset)),
  'torch.repeat_interleave': mapping('x repeats dim', ({ x, repeats, dim }) => x.repeatInterleave(repeats, dim)),
  'torch.tile': mapping('x dims', ({ x, dims }) => x.tile(dims)),
  'torch.cat': mapping('tensors dim', ({ tensors, dim }) => cat(tensors, dim)),
  'torch.stack': mapping('tensors dim', ({ tensors, dim }) => stack(tensors, dim)),
  'torch.split': mapping('x size dim', ({ x, size, dim }) => x.split(size, dim)),
  'torch.chunk': mapping('x chunks dim', ({ x, chunks, dim }) => x.chunk(chunks, dim)),
  'torch.unbind': mapping('x dim', ({ x, dim }) => x.unbind(dim)),
  'torch.narrow': mapping('x dim start length', ({ x, dim, start, length }) => x.narrow(dim, start, length)),
  'torch.select': mapping('x dim index', ({ x, dim, index }) => x.select(dim, index)),
  'F.pad': mapping('x pad mode value', ({ x, pad, mode, value }) => x.pad(pad, { mode, value })),
  'torch.meshgrid': mapping('...tensors indexing', ({ tensors, indexing }) => meshgrid(tensors, { indexing })),
}

const creation: Record<string, Mapping> = {
  'torch.arange': mapping('start end step', ({ start, end, step }) => arange(start, end, step)),
  'torch.linspace': mapping('start end steps', ({ start, end, steps }) => linspace(start, end, steps)),
  'torch.logspace': mapping('start end steps base', ({ start, end, steps, base }) =>
    logspace(start, end, steps, base === undefined ? {} : { base }),
  ),
  'torch.full': mapping('size value', ({ size, value }) => full(size, value)),
}

const normalizations: Record<string, Mapping> = {
  'F.softmax': mapping('x dim', ({ x, dim }) => x.softmax(dim)),
  'F.log_softmax': mapping('x dim', ({ x, dim }) => x.logSoftmax(dim)),
  'F.softmin': mapping('x dim', ({ x, dim }) => x.softmin(dim)),
  'F.layer_norm': mapping('x normalized_shape weight bias eps', ({ x, normalized_shape, weight, bias, eps }) =>
    x.layerNorm(normalized_shape, { weight, bias, eps }),
  ),
  'F.rms_norm': mapping('x normalized_shape weight eps', ({ x, normalized_shape, weight, eps }) =>
    x.rmsNorm(normalized_shape, { weight, eps }),
  ),
  'F.group_norm': mapping('x num_groups weight bias eps', ({ x, num_groups, weight, bias, eps }) =>
    x.groupNorm(num_groups, { weight, bias, eps }),
  ),
  'F.instance_norm': mapping('x running_mean running_var weight bias eps', ({ x, weight, bias, eps }) =>
    x.instanceNorm({ weight, bias, eps }),
  ),
  'F.batch_norm': mapping('x running_mean running_var weight bias training momentum eps', batchNorm),
  'F.local_response_norm': mapping('x size alpha beta k', ({ x, size, ...options }) => x.localResponseNorm(size, options)),
  'F.normalize': mapping('x p dim eps', ({ x, ...options }) => x.normalize(options)),
  'F.cosine_similarity': mapping('a b dim eps', ({ a, b, ...options }) => a.cosineSimilarity(b, options)),
  'F.scaled_dot_product_attention': mapping('q k v attn_mask dropout_p is_causal scale', ({ q, k, v, attn_mask, is_causal, scale }) =>
    q.scaledDotProductAttention(k, v, { mask: attn_mask, causal: is_causal, scale }),
  ),
}

// In training torch changes the running statistics, which are outputs of the case; here only Variables can change.
function batchNorm({ x, running_mean, running_var, training, ...options }: Given): readonly Tensor[] {
  if (training !== true) return [x.batchNorm({ ...options, runningMean: running_mean, runningVar: running_var })]
  const [runningMean, runningVar] = [new Variable(running_mean), new Variable(running_var)]
  const y = x.batchNorm({ ...options, training, runningMean, runningVar })
  return [y, runningMean.value, runningVar.value]
}

// Cases that say what they compute in their note.
const composites: Readonly<Record<string, (given: Given) => Tensor>> = {
  'composite.reuse': ({ x }) => x.mul(x.sum(1, { keepdim: true })).add(x.square().mean()).sub(x.at(':', ':1')),
  'composite.hvp': ({ x, v }) => hvp((z) => z.pow(4).sum().add(z.at(0).mul(z).sum().square()), x, v),
  'composite.jacobian': ({ x }) => jacobian((z) => stack([z.prod(), z.square().sum(), z.sin().sum()]), x),
  'composite.cumsum_exp': ({ x }) => x.exp().cumsum(1).div(arange(1, x.shape[1] + 1)),
}

function composite(given: Given, test: CallCase): Tensor {
  const found = composites[test.id]
  if (found === undefined) throw new MissingFeature(`the formula ${test.note ?? ''} is not written down here`)
  return found(given)
}

/** All functions of ops.json that exist here. */
export const opMappings: Readonly<Record<string, Mapping>> = {
  ...elementwise,
  ...reductions,
  ...matrixAndSignalOps,
  ...products,
  ...indexing,
  ...shapes,
  ...creation,
  ...normalizations,
  ...spatialOps,
  composite: mapping('x v', composite),
}
