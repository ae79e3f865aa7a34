// Metrics of images beside what they should be.
import { ValueError } from '@nabla/engine'
import { MeanSquaredError } from './mean.ts'

/** Settings of {@link PeakSignalNoiseRatio}. */
export interface PeakSignalNoiseRatioOptions {
  /** The largest difference that two values can have: 1 for images in [0, 1], 255 for bytes. Default 1. */
  range?: number
}

/** 10 · log₁₀(range² / mean squared error), in decibels, over all pixels of all updates. Infinite where images are equal. */
export class PeakSignalNoiseRatio extends MeanSquaredError {
  override readonly name: string = 'peakSignalNoiseRatio'
  readonly #range: number

  /** @throws ValueError for a range that is no positive number */
  constructor({ range = 1 }: PeakSignalNoiseRatioOptions = {}) {
    super()
    if (!(range > 0 && Number.isFinite(range))) {
      throw new ValueError(`${this.name}: range must be a positive number; got ${String(range)}`)
    }
    this.#range = range
  }

  override async compute(): Promise<number> {
    return 10 * Math.log10(this.#range ** 2 / (await super.compute()))
  }
}
