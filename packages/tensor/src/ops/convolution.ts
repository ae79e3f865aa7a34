// Convolution as three ops that are closed under differentiation. With <., .> the sum of all products, one form
// T(x, w, y) = <convolve(x, w), y>, linear in each argument, gives them all: `convolve` is its derivative by y,
// `convolveInput` by x, `convolveWeight` by w. So the gradient of each is made of the other two, to any order, and each
// is computed in the way that suits its sizes (convolution-forms.ts). A transposed convolution is `convolveInput`.
// Not public: conv.ts checks what users give.
import type { Attributes } from '@nabla/engine'
import { createOp, type BatchCall, type TensorOp } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'
import { inputForm, outputForm, weightForm } from './convolution-forms.ts'
import type { ConvolutionGeometry } from './convolution-parts.ts'

const outputOp: TensorOp = createOp(
  'convolution',
  {
    kind: 'composite',
    expand: ([x, w], attributes) => outputForm(x as Tensor, w as Tensor, geometryOf(attributes)),
  },
  ({ inputs: [x, w], attributes }, upstream) => {
    const geometry = geometryOf(attributes)
    return [
      x.requiresGrad ? convolveInput(upstream, w, geometry) : null,
      w.requiresGrad ? convolveWeight(x, upstream, geometry) : null,
    ]
  },
  (call) => imagesOfBatch(call, convolve),
)

const inputOp: TensorOp = createOp(
  'convolutionInput',
  {
    kind: 'composite',
    expand: ([y, w], attributes) => inputForm(y as Tensor, w as Tensor, geometryOf(attributes)),
  },
  ({ inputs: [y, w], attributes }, upstream) => {
    const geometry = geometryOf(attributes)
    return [
      y.requiresGrad ? convolve(upstream, w, geometry) : null,
      w.requiresGrad ? convolveWeight(upstream, y, geometry) : null,
    ]
  },
  (call) => imagesOfBatch(call, convolveInput),
)

const weightOp: TensorOp = createOp(
  'convolutionWeight',
  {
    kind: 'composite',
    expand: ([x, y], attributes) => weightForm(x as Tensor, y as Tensor, geometryOf(attributes)),
  },
  ({ inputs: [x, y], attributes }, upstream) => {
    const geometry = geometryOf(attributes)
    return [
      x.requiresGrad ? convolveInput(y, upstream, geometry) : null,
      y.requiresGrad ? convolve(x, upstream, geometry) : null,
    ]
  },
  ({ example, all, size }) => {
    const [x, y] = all()
    const weights = convolveWeight(groupsOfImages(x), groupsOfImages(y), inGroups(example, size))
    return weights.reshape([size, ...example.shape])
  },
)

/** With weights that all examples share, their images are one larger batch; with own weights, groups of channels. */
function imagesOfBatch(
  { example, whole: [images, weights], all, size }: BatchCall,
  convolution: typeof convolve,
): Tensor {
  if (weights === null) {
    const merged = images!.flatten(0, 1)
    const results = convolution(merged, example.inputs[1]!, geometryOf(example.attributes))
    return results.reshape([size, ...example.shape])
  }
  const [x, w] = all()
  const results = convolution(groupsOfImages(x), w.flatten(0, 1), inGroups(example, size))
  const [count, ...rest] = example.shape as [number, ...number[]]
  return results.reshape([count, size, ...rest]).transpose(0, 1)
}

/** [S, N, C, ...] -> [N, S C, ...]. */
function groupsOfImages(x: Tensor): Tensor {
  return x.transpose(0, 1).flatten(1, 2)
}

function inGroups({ attributes }: Tensor, size: number): ConvolutionGeometry {
  const geometry = geometryOf(attributes)
  return { ...geometry, groups: geometry.groups * size }
}

/** x [N, C, *sizes], w [O, C / groups, *kernel] -> [N, O, *count]. */
export function convolve(x: Tensor, w: Tensor, geometry: ConvolutionGeometry): Tensor {
  const shape = [x.shape[0]!, w.shape[0]!, ...geometry.count]
  return makeNode(outputOp, [x, w], attributesOf(geometry), shape, x.dtype)
}

/** y [N, O, *count], w [O, C / groups, *kernel] -> [N, C, *sizes]. */
export function convolveInput(y: Tensor, w: Tensor, geometry: ConvolutionGeometry): Tensor {
  const shape = [y.shape[0]!, w.shape[1]! * geometry.groups, ...geometry.sizes]
  return makeNode(inputOp, [y, w], attributesOf(geometry), shape, y.dtype)
}

/** x [N, C, *sizes], y [N, O, *count] -> [O, C / groups, *kernel]. */
export function convolveWeight(x: Tensor, y: Tensor, geometry: ConvolutionGeometry): Tensor {
  const shape = [y.shape[1]!, x.shape[1]! / geometry.groups, ...geometry.kernel]
  return makeNode(weightOp, [x, y], attributesOf(geometry), shape, x.dtype)
}

function attributesOf(geometry: ConvolutionGeometry): Attributes {
  const { sizes, kernel, count, stride, dilation, before, groups } = geometry
  return { sizes, kernel, count, stride, dilation, before, groups }
}

function geometryOf(attributes: Attributes): ConvolutionGeometry {
  return attributes as unknown as ConvolutionGeometry
}
