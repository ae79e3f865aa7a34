// Complex numbers are pairs (real, imaginary) on the last axis: a complex tensor of shape [...] is a real one of shape
// [..., 2]. These helpers make pairs, take them apart and multiply them; everything else that is linear or a change of shape
// works on pairs as it is. What is made of them: fourier.ts, spectrogram.ts.
import { formatShape, ShapeError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike, type WrongCall } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { floating } from './common.ts'

/** A tensor of pairs. @throws ShapeError */
export function toPairs(op: string, value: TensorLike): Tensor {
  const x = floating(toTensor(op, value))
  if (x.rank > 0 && x.shape[x.rank - 1] === 2) return x
  throw new ShapeError(
    `${op}: needs complex numbers, pairs on the last axis [..., 2]; got shape ${formatShape(x.shape)}. ` +
      'x.toComplex() makes them of real numbers',
  )
}

/** Pairs of two real tensors of one shape. */
export function pairsOf(real: Tensor, imaginary: Tensor): Tensor {
  return real
    .unsqueeze(-1)
    .pad([0, 1])
    .add(imaginary.unsqueeze(-1).pad([1, 0]))
}

function pairsWrong(name: string): WrongCall[] {
  return [
    {
      args: (make) => [make.real([2, 3]), make.real([2, 3])],
      error: 'ShapeError',
      message: new RegExp(`${name}: needs complex numbers, pairs on the last axis`),
    },
  ]
}

/** Complex numbers [..., 2] of real parts [...] and imaginary parts (default 0), which broadcast. @throws ShapeError */
export const toComplex: OpFunction<(real: TensorLike, imaginary?: TensorLike) => Tensor> = defineFunction({
  name: 'toComplex',
  call: (real: TensorLike, imaginary?: TensorLike) => {
    const x = floating(toTensor('toComplex', real))
    if (imaginary === undefined) return x.unsqueeze(-1).pad([0, 1])
    const y = floating(toTensor('toComplex', imaginary))
    return pairsOf(x.add(y.mul(0)), y.add(x.mul(0)))
  },
  samples: (make) => [[make.real([2, 3])], [make.real([2, 3]), make.real([3])], [make.real([])]],
  wrong: [
    {
      args: (make) => [make.real([2]), make.real([3])],
      error: 'ShapeError',
      message: /do not broadcast|broadcast/,
    },
  ],
})

/** Real parts [...] of complex numbers [..., 2]. @throws ShapeError */
export const realPart: OpFunction<(x: TensorLike) => Tensor> = defineFunction({
  name: 'realPart',
  call: (value: TensorLike) => toPairs('realPart', value).select(-1, 0),
  samples: (make) => [[make.real([3, 2])], [make.strided([4, 2])]],
  wrong: pairsWrong('realPart'),
})

/** Imaginary parts [...] of complex numbers [..., 2]. @throws ShapeError */
export const imaginaryPart: OpFunction<(x: TensorLike) => Tensor> = defineFunction({
  name: 'imaginaryPart',
  call: (value: TensorLike) => toPairs('imaginaryPart', value).select(-1, 1),
  samples: (make) => [[make.real([3, 2])], [make.strided([4, 2])]],
  wrong: pairsWrong('imaginaryPart'),
})

/** Conjugates of complex numbers [..., 2]. @throws ShapeError */
export const complexConjugate: OpFunction<(x: TensorLike) => Tensor> = defineFunction({
  name: 'complexConjugate',
  call: (value: TensorLike) => {
    const x = toPairs('complexConjugate', value)
    return pairsOf(x.select(-1, 0), x.select(-1, 1).neg())
  },
  samples: (make) => [[make.real([3, 2])], [make.strided([4, 2])]],
  wrong: pairsWrong('complexConjugate'),
})

/** Products of complex numbers [..., 2], which broadcast. @throws ShapeError */
export const complexMul: OpFunction<(a: TensorLike, b: TensorLike) => Tensor> = defineFunction({
  name: 'complexMul',
  call: (left: TensorLike, right: TensorLike) => {
    const a = toPairs('complexMul', left)
    const b = toPairs('complexMul', right)
    const [p, q, r, s] = [a.select(-1, 0), a.select(-1, 1), b.select(-1, 0), b.select(-1, 1)]
    return pairsOf(p.mul(r).sub(q.mul(s)), p.mul(s).add(q.mul(r)))
  },
  samples: (make) => [
    [make.real([3, 2]), make.real([3, 2])],
    [make.real([2, 3, 2]), make.real([3, 2])],
  ],
  wrong: pairsWrong('complexMul'),
})

/** Absolute values [...] of complex numbers [..., 2]; the derivative at 0 is taken as 0. @throws ShapeError */
export const complexAbs: OpFunction<(x: TensorLike) => Tensor> = defineFunction({
  name: 'complexAbs',
  call: (value: TensorLike) => toPairs('complexAbs', value).norm(-1),
  samples: (make) => [[make.real([3, 2], { avoid: [0] })], [make.strided([4, 2], { avoid: [0] })]],
  wrong: pairsWrong('complexAbs'),
})

/** Angles [...] of complex numbers [..., 2], from -pi to pi. @throws ShapeError */
export const complexAngle: OpFunction<(x: TensorLike) => Tensor> = defineFunction({
  name: 'complexAngle',
  call: (value: TensorLike) => {
    const x = toPairs('complexAngle', value)
    return x.select(-1, 1).atan2(x.select(-1, 0))
  },
  samples: (make) => [[make.real([3, 2], { avoid: [0] })]],
  wrong: pairsWrong('complexAngle'),
})
