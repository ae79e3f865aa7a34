// Loads and stores of whole vectors along the lane axis, by stride class. Three rules hold everywhere: a load may read up
// to 16 bytes past the end of a row, a store never writes past it (a neighbour may be another thread's), and a strided
// argument is touched only where an element exists.
import { bytesOf, type Kernel } from '@nabla/engine'
import type { FunctionBuilder } from '../wat/builder.ts'
import { i32, i32x4, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import type { Addresses } from './addresses.ts'
import type { LaneCount } from './lanes.ts'

/** Where a run of neighbouring vectors lies. */
export interface Site {
  /** Per argument: the address, or for positions the value, at lane index 0 of the present loop turn. */
  readonly pointers: readonly Wat[]
  /** Four times the index of the first lane. (Bytes, for 4-byte types.) */
  readonly offset: Wat
  /** Vectors that lie here side by side. */
  readonly groups: number
  /** How many lanes exist, where fewer than all do. Then there is one vector. */
  readonly remaining: Local | null
}

/** Emits the memory accesses of one kernel. */
export class VectorAccess {
  readonly #f: FunctionBuilder
  readonly #kernel: Kernel
  readonly #lane: number
  readonly #lanes: LaneCount
  readonly #addresses: Addresses
  // Addresses of the lanes of strided arguments: an argument that is read and written needs them twice.
  readonly #laneAddresses = new WeakMap<Site, Map<string, readonly Local[]>>()

  constructor(f: FunctionBuilder, kernel: Kernel, lane: number, lanes: LaneCount, addresses: Addresses) {
    this.#f = f
    this.#kernel = kernel
    this.#lane = lane
    this.#lanes = lanes
    this.#addresses = addresses
  }

  /** The elements of an argument at vector `group` of a site. */
  load(arg: number, site: Site, group: number): Wat {
    const { role, dtype, classes } = this.#kernel.args[arg]!
    if (role === 'position') return this.#position(arg, site, group)
    const stored = this.#loadStored(arg, site, group, classes[this.#lane]!)
    return dtype === 'bool' ? i32x4.ne(stored, this.#f.i32x4(0)) : stored
  }

  /** Writes the elements of an argument at vector `group` of a site. */
  store(arg: number, site: Site, group: number, value: Wat): void {
    const f = this.#f
    const { dtype, classes } = this.#kernel.args[arg]!
    const stored = dtype === 'bool' ? v128.and(value, f.i32x4(1)) : value
    const storeLane = bytesOf(dtype) === 8 ? v128.store64_lane : v128.store32_lane
    const { remaining } = site
    if (classes[this.#lane] !== 1) {
      const named = f.once(stored)
      const places = this.#strided(arg, site, group)
      this.#forLanes(remaining, (lane) => f.emit(storeLane(lane, places[lane]!, named)))
      return
    }
    const address = this.#contiguous(arg, site)
    const offset = this.#groupBytes(arg, group)
    if (remaining === null) {
      const whole = this.#lanes * bytesOf(dtype) === 16
      f.emit(whole ? v128.store(address, stored, offset) : v128.store64_lane(0, address, stored, offset))
      return
    }
    const named = f.once(stored)
    if (this.#lanes === 2) {
      f.emit(storeLane(0, address, named))
      return
    }
    const place = f.let(address, 'end')
    const storeTwo = (): void => {
      f.emit(v128.store64_lane(0, place, named))
      f.if(i32.eq(remaining, 3), () => f.emit(v128.store32_lane(2, place, named, 8)))
    }
    f.if(i32.eq(remaining, 1), () => f.emit(v128.store32_lane(0, place, named)), storeTwo)
  }

  /** Writes the first lane to where an argument's pointer stands: a result that there is once per row. */
  storeFirst(arg: number, pointer: Wat, value: Wat): void {
    const { dtype } = this.#kernel.args[arg]!
    const stored = dtype === 'bool' ? v128.and(value, this.#f.i32x4(1)) : value
    this.#f.emit((bytesOf(dtype) === 8 ? v128.store64_lane : v128.store32_lane)(0, pointer, stored))
  }

  #loadStored(arg: number, site: Site, group: number, stride: 0 | 1 | 's'): Wat {
    const f = this.#f
    const wide = bytesOf(this.#kernel.args[arg]!.dtype) === 8
    const pointer = site.pointers[arg]!
    if (stride === 0) return wide ? v128.load64_splat(pointer) : v128.load32_splat(pointer)
    if (stride === 1) {
      const load = this.#lanes === 2 && !wide ? v128.load64_zero : v128.load
      return load(this.#contiguous(arg, site), this.#groupBytes(arg, group))
    }
    const places = this.#strided(arg, site, group)
    const vector = f.local('v128', 'gathered')
    this.#forLanes(site.remaining, (lane) => {
      const place = places[lane]!
      if (lane === 0) f.set(vector, wide ? v128.load64_zero(place) : v128.load32_zero(place))
      else f.set(vector, (wide ? v128.load64_lane : v128.load32_lane)(lane, place, vector))
    })
    return vector
  }

  #position(arg: number, site: Site, group: number): Wat {
    const f = this.#f
    const stride = this.#kernel.args[arg]!.classes[this.#lane]!
    const start = site.pointers[arg]!
    if (stride === 0) return i32x4.splat(start)
    const first = group * this.#lanes
    const lanes = f.constant(['v128.const', 'i32x4', first, first + 1, first + 2, first + 3])
    const index = i32.shr_u(site.offset, 2)
    if (stride === 1) return i32x4.add(i32x4.splat(i32.add(start, index)), lanes)
    const step = i32x4.splat(this.#addresses.stride(arg, this.#lane))
    return i32x4.add(i32x4.splat(start), i32x4.mul(i32x4.add(i32x4.splat(index), lanes), step))
  }

  #contiguous(arg: number, site: Site): Wat {
    const wide = bytesOf(this.#kernel.args[arg]!.dtype) === 8
    return i32.add(site.pointers[arg]!, wide ? i32.shl(site.offset, 1) : site.offset)
  }

  #groupBytes(arg: number, group: number): number {
    return group * this.#lanes * bytesOf(this.#kernel.args[arg]!.dtype)
  }

  #strided(arg: number, site: Site, group: number): readonly Local[] {
    let known = this.#laneAddresses.get(site)
    if (known === undefined) this.#laneAddresses.set(site, (known = new Map()))
    const key = `${arg} ${group}`
    let places = known.get(key)
    if (places === undefined) known.set(key, (places = this.#computeLaneAddresses(arg, site, group)))
    return places
  }

  #computeLaneAddresses(arg: number, site: Site, group: number): readonly Local[] {
    const f = this.#f
    const stride = this.#addresses.stride(arg, this.#lane)
    const index = i32.add(i32.shr_u(site.offset, 2), group * this.#lanes)
    const places = [f.let(i32.add(site.pointers[arg]!, i32.mul(index, stride)), 'lane')]
    while (places.length < this.#lanes) places.push(f.let(i32.add(places.at(-1)!, stride), 'lane'))
    return places
  }

  /** Runs `body` for each lane; with `remaining`, only for lanes that exist (never all of them, always the first). */
  #forLanes(remaining: Local | null, body: (lane: number) => void): void {
    const f = this.#f
    const from = (lane: number): void => {
      body(lane)
      if (lane + 1 < this.#lanes - 1) f.if(i32.gt_u(remaining!, lane + 1), () => from(lane + 1))
    }
    if (remaining === null) for (let lane = 0; lane < this.#lanes; lane++) body(lane)
    else from(0)
  }
}
