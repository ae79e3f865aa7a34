// Layers that put something around sequences, images and volumes: a constant, the mirror image, the repeated edge, or
// the other side. Read next: the op pad of @nabla/tensor, which does the work.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { pad, toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { finite, integer } from './check.ts'
import { Module } from './module.ts'

/** One number for all sides, or [left, right], [left, right, top, bottom], [left, right, top, bottom, front, back]. */
export type PaddingAmounts = number | readonly number[]

abstract class Padding extends Module {
  readonly padding: readonly number[]
  readonly value: number
  readonly #spatial: number
  readonly #mode: 'constant' | 'reflect' | 'replicate' | 'circular'

  constructor(
    spatial: number,
    mode: 'constant' | 'reflect' | 'replicate' | 'circular',
    padding: PaddingAmounts,
    value: number = 0,
  ) {
    super()
    const layer = new.target.name
    const amounts = typeof padding === 'number' ? Array.from({ length: 2 * spatial }, () => padding) : padding
    if (!Array.isArray(amounts) || amounts.length !== 2 * spatial) {
      throw new ValueError(
        `${layer}: padding must be one number or a list of ${2 * spatial}; got ${String(padding)}`,
      )
    }
    for (const amount of amounts) integer(layer, 'each padding', amount)
    this.padding = [...amounts]
    this.value = finite(layer, 'value', value)
    this.#spatial = spatial
    this.#mode = mode
  }

  /** @throws ShapeError for a wrong number of dimensions, and a padding larger than the input can give */
  override forward(input: TensorLike): Tensor {
    const x = toTensor(this.constructor.name, input)
    const least = this.#spatial + 1
    if (x.rank !== least && x.rank !== least + 1) {
      throw new ShapeError(
        `${this.constructor.name}: x must have ${least} or ${least + 1} dimensions; got shape ${formatShape(x.shape)}`,
      )
    }
    return pad(x, this.padding, { mode: this.#mode, value: this.value })
  }

  override describe(): string {
    const value = this.value === 0 ? '' : `, value: ${this.value}`
    return `[${this.padding.join(', ')}]${value}`
  }
}

/** A constant around sequences; negative amounts cut off. Shape: x [N, C, L] -> y [N, C, left + L + right]. */
export class ConstantPad1d extends Padding {
  constructor(padding: PaddingAmounts, value: number) {
    super(1, 'constant', padding, value)
  }
}

/** A constant around images; negative amounts cut off. Shape: x [N, C, H, W] -> y [N, C, H', W']. */
export class ConstantPad2d extends Padding {
  constructor(padding: PaddingAmounts, value: number) {
    super(2, 'constant', padding, value)
  }
}

/** A constant around volumes; negative amounts cut off. Shape: x [N, C, D, H, W] -> y [N, C, D', H', W']. */
export class ConstantPad3d extends Padding {
  constructor(padding: PaddingAmounts, value: number) {
    super(3, 'constant', padding, value)
  }
}

/** Zeros around sequences; negative amounts cut off. Shape: as {@link ConstantPad1d}. */
export class ZeroPad1d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(1, 'constant', padding)
  }
}

/** Zeros around images; negative amounts cut off. Shape: as {@link ConstantPad2d}. */
export class ZeroPad2d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(2, 'constant', padding)
  }
}

/** Zeros around volumes; negative amounts cut off. Shape: as {@link ConstantPad3d}. */
export class ZeroPad3d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(3, 'constant', padding)
  }
}

/** The mirror image around sequences, without the edge itself. Shape: as {@link ConstantPad1d}. */
export class ReflectionPad1d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(1, 'reflect', padding)
  }
}

/** The mirror image around images, without the edge itself. Shape: as {@link ConstantPad2d}. */
export class ReflectionPad2d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(2, 'reflect', padding)
  }
}

/** The mirror image around volumes, without the edge itself. Shape: as {@link ConstantPad3d}. */
export class ReflectionPad3d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(3, 'reflect', padding)
  }
}

/** The edge repeated around sequences. Shape: as {@link ConstantPad1d}. */
export class ReplicationPad1d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(1, 'replicate', padding)
  }
}

/** The edge repeated around images. Shape: as {@link ConstantPad2d}. */
export class ReplicationPad2d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(2, 'replicate', padding)
  }
}

/** The edge repeated around volumes. Shape: as {@link ConstantPad3d}. */
export class ReplicationPad3d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(3, 'replicate', padding)
  }
}

/** The other end around sequences. Shape: as {@link ConstantPad1d}. */
export class CircularPad1d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(1, 'circular', padding)
  }
}

/** The other side around images. Shape: as {@link ConstantPad2d}. */
export class CircularPad2d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(2, 'circular', padding)
  }
}

/** The other side around volumes. Shape: as {@link ConstantPad3d}. */
export class CircularPad3d extends Padding {
  constructor(padding: PaddingAmounts) {
    super(3, 'circular', padding)
  }
}
