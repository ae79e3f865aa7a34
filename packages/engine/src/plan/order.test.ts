// The order of units under random growth, against plain searches of the whole graph.
import { expect, test } from 'vitest'
import { Unit } from './fuse.ts'
import { live, UnitOrder } from './order.ts'
import { PrimitiveGraph } from './primitive.ts'
import { mapSpace } from './space.ts'

/** Numbers that look random, the same ones every time. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function reaches(from: Unit, to: Unit): boolean {
  const seen = new Set<Unit>()
  const visit = (unit: Unit): boolean => {
    if (unit === to) return true
    if (seen.has(unit)) return false
    seen.add(unit)
    return [...live(unit.producers)].some((producer) => producer !== unit && visit(producer))
  }
  return visit(from)
}

test('units that gain producers late or become one stay in an order that tells who needs whom', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = randomNumbers(seed)
    const graph = new PrimitiveGraph()
    const order = new UnitOrder()
    const units: Unit[] = []
    let merged = 0
    let extended = 0
    for (let turn = 0; turn < 120; turn++) {
      const pick = (): Unit => units[random(units.length)]!
      const action = units.length < 4 ? 0 : random(3)
      if (action === 0) {
        const primitive = graph.make({ kind: 'map', name: 'x', shape: [2], dtype: 'float32' }, null)
        const unit = new Unit('kernel', mapSpace([2]), primitive, 'element')
        for (let i = random(3); i > 0 && units.length > 0; i--) unit.producers.add(pick())
        order.append(unit)
        units.push(unit)
        continue
      }
      const [a, b] = [pick(), pick()]
      if (a === b) continue
      expect(order.dependsOn(a, b)).toBe(reaches(a, b))
      expect(order.dependsOn(b, a)).toBe(reaches(b, a))
      if (order.dependsOn(b, a)) continue
      if (action === 1) {
        order.putAfter(a, b)
        a.producers.add(b)
        extended += 1
      } else if (!order.dependsOn(a, b)) {
        order.join(a, b)
        for (const producer of b.producers) a.producers.add(producer)
        b.mergedInto = a
        units.splice(units.indexOf(b), 1)
        merged += 1
      }
      for (const unit of units) {
        for (const producer of live(unit.producers))
          if (producer !== unit) expect(producer.place).toBeLessThan(unit.place)
      }
    }
    expect(merged).toBeGreaterThan(5)
    expect(extended).toBeGreaterThan(5)
  }
})
