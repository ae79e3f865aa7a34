// What the tests of this package share: tiny data with known answers, and a place that keeps the progress shown.
import { Linear, Module, ReLU, Sequential } from '@nabla/layers'
import type { Tensor, TensorLike } from '@nabla/tensor'
import type { ProgressOutput } from './output.ts'

/** y = 2a - 3b + 1 for 64 rows of [a, b]. */
export function lineData(rows: number = 64): { x: number[][]; y: number[][] } {
  const x = Array.from({ length: rows }, (_, i) => [Math.sin(i), Math.cos(3 * i)])
  return { x, y: x.map(([a = 0, b = 0]) => [2 * a - 3 * b + 1]) }
}

/** Exclusive or: no straight line separates it. */
export const xorData: { x: number[][]; y: number[] } = {
  x: [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ],
  y: [0, 1, 1, 0],
}

/** Two classes from two inputs, with a hidden layer. */
export function createClassifier(): Sequential {
  return new Sequential(new Linear(2, 16), new ReLU(), new Linear(16, 2))
}

/** Multiplies by one weight, and fails on demand. */
export class Fragile extends Module {
  readonly linear: Linear = new Linear(1, 1)
  /** Forward fails when this many calls have been made. */
  failsAt: number = Infinity
  calls: number = 0

  override forward(x: TensorLike): Tensor {
    this.calls += 1
    const y = this.linear.forward(x)
    if (this.calls >= this.failsAt) throw new RangeError('out of luck')
    return y
  }
}

/** Keeps what is written, and what a terminal would show of it. */
export class Screen implements ProgressOutput {
  readonly isTerminal: boolean
  readonly columns: number
  text: string = ''

  constructor(isTerminal: boolean, columns: number = 200) {
    this.isTerminal = isTerminal
    this.columns = columns
  }

  write(text: string): void {
    this.text += text
  }

  /** The lines with what was written over left out. */
  get lines(): string[] {
    return this.text.split('\n').map((line) => line.split('\r').at(-1)!.replaceAll('\u001b[K', ''))
  }

  /** The lines with times replaced, which differ from run to run. */
  get timeless(): string[] {
    return this.lines.map((line) =>
      line.replace(/\d+s \d+(s|ms|us)\/step/, 'TIME').replace(/ - ETA: \d+s/, ''),
    )
  }
}
