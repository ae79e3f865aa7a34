// What code for contractions needs to know of an element type: how many fit a vector, and which instructions load, spread
// and multiply them. Read next: tile.ts.
import { f32, f32x4, f64, f64x2, i32, i32x4, v128 } from '../wat/instructions.ts'
import type { Binary, Load, LoadLane, Store } from '../wat/instructions.ts'

/** An element type of a contraction. */
export interface Element {
  readonly bytes: 4 | 8
  /** Elements in a vector of sixteen bytes. */
  readonly lanes: 4 | 2
  readonly multiply: Binary
  readonly add: Binary
  /** One element in all lanes. */
  readonly loadSplat: Load
  /** One element in the first lane. */
  readonly loadFirst: Load
  readonly loadLane: LoadLane
  readonly scalar: { readonly load: Load; readonly store: Store; readonly add: Binary }
}

export const float32Element: Element = {
  bytes: 4,
  lanes: 4,
  multiply: f32x4.mul,
  add: f32x4.add,
  loadSplat: v128.load32_splat,
  loadFirst: v128.load32_zero,
  loadLane: v128.load32_lane,
  scalar: f32,
}

export const float64Element: Element = {
  bytes: 8,
  lanes: 2,
  multiply: f64x2.mul,
  add: f64x2.add,
  loadSplat: v128.load64_splat,
  loadFirst: v128.load64_zero,
  loadLane: v128.load64_lane,
  scalar: f64,
}

/** Products and sums wrap around. */
export const int32Element: Element = {
  bytes: 4,
  lanes: 4,
  multiply: i32x4.mul,
  add: i32x4.add,
  loadSplat: v128.load32_splat,
  loadFirst: v128.load32_zero,
  loadLane: v128.load32_lane,
  scalar: i32,
}
