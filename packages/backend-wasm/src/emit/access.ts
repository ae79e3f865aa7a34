// Loads and stores of whole vectors along the lane axis, by stride class. Three rules hold everywhere: a load may read up
// to 16 bytes past the end of a row, a store never writes past it (a neighbour may be another thread's), and a strided
// argument is touched only where an element exists.
import { bytesOf, type Kernel } from '@nabla/engine'
import type { FunctionBuilder } from '../wat/builder.ts'
import { i32, i32x4, shuffle32, shuffle64, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import type { Addresses } from './addresses.ts'
import type { LaneCount } from './lanes.ts'

/** Where a run of neighbouring vectors lies. */
export interface Site {
  /** Per argument: the address, or for positions the value, at lane index 0 of the present loop turn. */
  readonly pointers: readonly Wat[]
  /** Four times the index of the first lane. (Bytes, for 4-byte types.) */
  readonly offset: Wat
  /** Vectors that lie here: one after the other along the lane axis, or each along `groupAxis` from the one before. */
  readonly groups: number
  /** In tiles: the axis from one vector to the next. There are then four of them. */
  readonly groupAxis?: number
  /** In sweeps: the pointers of each vector, which all lie at `offset` of rows of their own. */
  readonly groupPointers?: readonly (readonly Wat[])[]
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
  // What the vectors of a site share, by argument: see the methods that fill these.
  readonly #laneAddresses = new Notes<readonly Local[]>()
  readonly #groupPointers = new Notes<Local>()
  readonly #tilesRead = new Notes<readonly Local[]>()
  readonly #tilesToWrite = new Notes<Local[]>()

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
    if (this.#liesAcross(arg, site)) {
      this.#storeAcross(arg, site, group, stored)
      return
    }
    if (classes[this.#lane] !== 1) {
      const named = f.once(stored)
      const places = this.#strided(arg, site, group)
      this.#forLanes(remaining, (lane) => f.emit(storeLane(lane, places[lane]!, named)))
      return
    }
    const address = this.#contiguous(arg, site, group)
    const offset = this.#groupBytes(arg, site, group)
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

  /** An argument's pointer with the offset of the site in it, for sites whose own offset is 0. */
  pointerAtOffset(arg: number, site: Site): Wat {
    const { role, classes } = this.#kernel.args[arg]!
    const stride = classes[this.#lane]!
    if (stride === 0) return site.pointers[arg]!
    if (stride === 1 && role !== 'position') return this.#contiguous(arg, site, 0)
    return this.#firstLane(arg, site, 0, this.#addresses.stride(arg, this.#lane))
  }

  #loadStored(arg: number, site: Site, group: number, stride: 0 | 1 | 's'): Wat {
    const f = this.#f
    const wide = bytesOf(this.#kernel.args[arg]!.dtype) === 8
    if (this.#liesAcross(arg, site)) return this.#loadAcross(arg, site)[group]!
    const pointer = this.#pointer(arg, site, group)
    if (stride === 0) return wide ? v128.load64_splat(pointer) : v128.load32_splat(pointer)
    if (stride === 1) {
      const load = this.#lanes === 2 && !wide ? v128.load64_zero : v128.load
      return load(this.#contiguous(arg, site, group), this.#groupBytes(arg, site, group))
    }
    const places = this.#strided(arg, site, group)
    const vector = f.local('v128', 'gathered')
    const laneByLane = (): void =>
      this.#forLanes(site.remaining, (lane) => {
        const place = places[lane]!
        if (lane === 0) f.set(vector, wide ? v128.load64_zero(place) : v128.load32_zero(place))
        else f.set(vector, (wide ? v128.load64_lane : v128.load32_lane)(lane, place, vector))
      })
    if (site.remaining !== null || wide || this.#lanes !== 4) {
      laneByLane()
      return vector
    }
    // Every other element, as pooling reads them: two loads and a shuffle. The stride is known only when the kernel runs.
    const [first] = places
    const everyOther = shuffle32(v128.load(first!), v128.load(first!, 16), [0, 2, 4, 6])
    const isEveryOther = i32.eq(this.#addresses.stride(arg, this.#lane), 8)
    f.if(isEveryOther, () => f.set(vector, everyOther), laneByLane)
    return vector
  }

  #position(arg: number, site: Site, group: number): Wat {
    const f = this.#f
    const stride = this.#kernel.args[arg]!.classes[this.#lane]!
    const start = this.#pointer(arg, site, group)
    if (stride === 0) return i32x4.splat(start)
    const first = this.#lanesBefore(site, group)
    const lanes = f.constant(['v128.const', 'i32x4', first, first + 1, first + 2, first + 3])
    const index = i32.shr_u(site.offset, 2)
    const step = this.#addresses.stride(arg, this.#lane)
    const atOffset = isZero(site.offset) ? start : i32.add(start, stride === 1 ? index : i32.mul(index, step))
    return i32x4.add(i32x4.splat(atOffset), stride === 1 ? lanes : i32x4.mul(lanes, i32x4.splat(step)))
  }

  #contiguous(arg: number, site: Site, group: number): Wat {
    const wide = bytesOf(this.#kernel.args[arg]!.dtype) === 8
    const pointer = this.#pointer(arg, site, group)
    return isZero(site.offset) ? pointer : i32.add(pointer, wide ? i32.shl(site.offset, 1) : site.offset)
  }

  /** Lanes of the vectors before this one along the lane axis. */
  #lanesBefore(site: Site, group: number): number {
    return site.groupAxis === undefined && site.groupPointers === undefined ? group * this.#lanes : 0
  }

  #groupBytes(arg: number, site: Site, group: number): number {
    return this.#lanesBefore(site, group) * bytesOf(this.#kernel.args[arg]!.dtype)
  }

  /** Where the row of a vector begins. */
  #pointer(arg: number, site: Site, group: number): Wat {
    if (site.groupPointers !== undefined) return site.groupPointers[group]![arg]!
    const first = site.pointers[arg]!
    const axis = site.groupAxis
    if (axis === undefined || group === 0 || this.#kernel.args[arg]!.classes[axis] === 0) return first
    return this.#groupPointers.find(site, `${arg} ${group}`, () => {
      return this.#f.let(
        i32.add(this.#pointer(arg, site, group - 1), this.#addresses.stride(arg, axis)),
        'pointer',
      )
    })
  }

  /** The addresses of the lanes of a strided argument. One that is read and written needs them twice. */
  #strided(arg: number, site: Site, group: number): readonly Local[] {
    return this.#laneAddresses.find(site, `${arg} ${group}`, () => {
      const f = this.#f
      const stride = this.#addresses.stride(arg, this.#lane)
      const places = [f.let(this.#firstLane(arg, site, group, stride), 'lane')]
      while (places.length < this.#lanes) places.push(f.let(i32.add(places.at(-1)!, stride), 'lane'))
      return places
    })
  }

  #firstLane(arg: number, site: Site, group: number, stride: Wat): Wat {
    if (this.#lanesBefore(site, group) > 0)
      return i32.add(this.#strided(arg, site, group - 1).at(-1)!, stride)
    const pointer = this.#pointer(arg, site, group)
    return isZero(site.offset) ? pointer : i32.add(pointer, i32.mul(i32.shr_u(site.offset, 2), stride))
  }

  /** Whether the vectors of a tile stand across those in memory. */
  #liesAcross(arg: number, { groupAxis }: Site): boolean {
    const { role, classes } = this.#kernel.args[arg]!
    return (
      groupAxis !== undefined &&
      role !== 'position' &&
      classes[this.#lane] === 's' &&
      classes[groupAxis] === 1
    )
  }

  /** The four vectors of a tile: loaded as they lie in memory, one for each lane, then turned. */
  #loadAcross(arg: number, site: Site): readonly Local[] {
    return this.#tilesRead.find(site, `${arg}`, () => {
      const columns = this.#strided(arg, site, 0).map((place) => this.#f.let(v128.load(place), 'column'))
      return transpose(this.#f, columns)
    })
  }

  /** Keeps a vector of a tile; with the last one the tile is turned and written. */
  #storeAcross(arg: number, site: Site, group: number, value: Wat): void {
    const rows = this.#tilesToWrite.find(site, `${arg}`, () => [])
    rows.push(this.#f.once(value))
    if (group + 1 < site.groups) return
    const places = this.#strided(arg, site, 0)
    transpose(this.#f, rows).forEach((column, lane) => this.#f.emit(v128.store(places[lane]!, column)))
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

function isZero(code: Wat): boolean {
  return Array.isArray(code) && code[0] === 'i32.const' && code[1] === 0
}

/** Turns four vectors of four lanes: lane j of result i is lane i of vector j. */
function transpose(f: FunctionBuilder, vectors: readonly Local[]): readonly Local[] {
  const [a, b, c, d] = vectors as readonly [Local, Local, Local, Local]
  const lowAB = f.let(shuffle32(a, b, [0, 4, 1, 5]), 'tile')
  const lowCD = f.let(shuffle32(c, d, [0, 4, 1, 5]), 'tile')
  const highAB = f.let(shuffle32(a, b, [2, 6, 3, 7]), 'tile')
  const highCD = f.let(shuffle32(c, d, [2, 6, 3, 7]), 'tile')
  return [
    f.let(shuffle64(lowAB, lowCD, [0, 2]), 'tile'),
    f.let(shuffle64(lowAB, lowCD, [1, 3]), 'tile'),
    f.let(shuffle64(highAB, highCD, [0, 2]), 'tile'),
    f.let(shuffle64(highAB, highCD, [1, 3]), 'tile'),
  ]
}

/** Code that was written once for a site and is named by a key. It goes when the site goes. */
class Notes<Note> {
  readonly #bySite = new WeakMap<Site, Map<string, Note>>()

  find(site: Site, key: string, make: () => Note): Note {
    let notes = this.#bySite.get(site)
    if (notes === undefined) this.#bySite.set(site, (notes = new Map()))
    let note = notes.get(key)
    if (note === undefined) notes.set(key, (note = make()))
    return note
  }
}
