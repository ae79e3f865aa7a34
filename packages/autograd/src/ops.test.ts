// Every op of the table: the derivative along a random direction equals the slope, and so does that of the derivative.
import { ops, SampleMaker, Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { gradcheck } from './index.ts'

/** Real tensors among the arguments, also inside of arrays and option objects, in order. */
function realTensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return value.dtype === 'float64' ? [value] : []
  if (Array.isArray(value)) return value.flatMap(realTensorsIn)
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.values(value).flatMap(realTensorsIn)
  }
  return []
}

/** The same arguments with other tensors in their places. */
function withTensors(value: unknown, tensors: Tensor[]): unknown {
  if (value instanceof Tensor) return value.dtype === 'float64' ? tensors.shift() : value
  if (Array.isArray(value)) return value.map((item) => withTensors(item, tensors))
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTensors(item, tensors)]))
  }
  return value
}

for (const [name, fn] of Object.entries(ops)) {
  const run = fn as unknown as (...args: unknown[]) => unknown
  const samples = fn.op.samples(new SampleMaker(7, 'float64'))
  samples.forEach((sample, i) => {
    const { args, gradient } = 'args' in sample ? sample : { args: sample, gradient: true }
    const tensors = realTensorsIn(args)
    if (!gradient || tensors.every((tensor) => tensor.size === 0)) return
    test(`${name}, sample ${i}`, async () => {
      const marked = tensors.map((tensor) => mark(tensor))
      if (!hasGradient(run(...(withTensors(args, marked) as unknown[])))) return
      const call = (...inputs: Tensor[]): unknown => run(...(withTensors(args, [...inputs]) as unknown[]))
      await expect(gradcheck(call, tensors, { secondOrder: true })).resolves.toBeUndefined()
    })
  })
}

function mark(tensor: Tensor): Tensor {
  const copy = new Tensor(tensor.op, tensor.inputs, tensor.attributes, tensor.shape, tensor.dtype)
  copy.host = tensor.host
  copy.requiresGrad = true
  return copy
}

function hasGradient(outcome: unknown): boolean {
  const list = outcome instanceof Tensor ? [outcome] : Object.values(Object(outcome))
  return list.some((item) => item instanceof Tensor && item.requiresGrad)
}
