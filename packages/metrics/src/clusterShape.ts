// How well groups of points are apart from each other, without any truth beside them. Functions on the host over all points
// at once. Read before: clustering.ts, for groups beside known classes.
import { ShapeError, ValueError } from '@nabla/engine'
import { hostValues, meanOf, rowsOf, sumOf } from './host.ts'
import type { MetricInput } from './metric.ts'

interface Group {
  readonly members: Float64Array[]
  readonly centre: number[]
}

/**
 * Mean likeness of each group to the one most like it: spread within, divided by distance between. Smaller is better
 * (Davies and Bouldin 1979). Shape: points [N, D], labels [N]. @throws ShapeError; ValueError for fewer than two groups
 */
export async function daviesBouldin(points: MetricInput, labels: MetricInput): Promise<number> {
  const groups = await readGroups('daviesBouldin', points, labels)
  const spreads = groups.map(({ members, centre }) => meanOf(members.map((point) => distance(point, centre))))
  const worst = groups.map((group, i) => {
    const likenesses = groups.map((other, j) => {
      return i === j ? 0 : (spreads[i]! + spreads[j]!) / distance(group.centre, other.centre)
    })
    return Math.max(...likenesses)
  })
  return meanOf(worst)
}

/**
 * Variance between groups divided by variance within, per degree of freedom. Larger is better (Calinski and Harabasz 1974).
 * Shape: points [N, D], labels [N]. @throws ShapeError; ValueError for fewer than two groups
 */
export async function calinskiHarabasz(points: MetricInput, labels: MetricInput): Promise<number> {
  const groups = await readGroups('calinskiHarabasz', points, labels)
  const all = groups.flatMap(({ members }) => members)
  const centre = centreOf(all)
  const between = sumOf(groups.map((group) => group.members.length * distance(group.centre, centre) ** 2))
  const within = sumOf(
    groups.map((group) => sumOf(group.members.map((point) => distance(point, group.centre) ** 2))),
  )
  if (within === 0) return 1
  return (between * (all.length - groups.length)) / (within * (groups.length - 1))
}

/**
 * Mean over points of (b - a) / max(a, b): a is the mean distance to the own group, b that to the nearest other one; -1
 * to 1 (Rousseeuw 1987). Compares all pairs of points. Shape: points [N, D], labels [N].
 * @throws ShapeError; ValueError for fewer than two groups
 */
export async function silhouette(points: MetricInput, labels: MetricInput): Promise<number> {
  const groups = await readGroups('silhouette', points, labels)
  const scores = groups.flatMap((own) =>
    own.members.map((point) => {
      // A point that is alone in its group says nothing.
      if (own.members.length === 1) return 0
      const total = (group: Group): number => sumOf(group.members.map((other) => distance(point, other)))
      const within = total(own) / (own.members.length - 1)
      const others = groups.filter((group) => group !== own)
      const nearest = Math.min(...others.map((group) => total(group) / group.members.length))
      const larger = Math.max(within, nearest)
      return larger === 0 ? 0 : (nearest - within) / larger
    }),
  )
  return meanOf(scores)
}

async function readGroups(metric: string, points: MetricInput, labels: MetricInput): Promise<Group[]> {
  const rows = rowsOf(metric, await hostValues(points))
  const { data } = await hostValues(labels)
  if (rows.length !== data.length) {
    throw new ShapeError(`${metric}: there are ${rows.length} points and ${data.length} labels`)
  }
  const names = [...new Set(data)]
  if (names.length < 2)
    throw new ValueError(`${metric}: needs at least two groups; there are ${names.length}`)
  return names.map((name) => {
    const members = rows.filter((_, i) => data[i] === name)
    return { members, centre: centreOf(members) }
  })
}

function centreOf(points: readonly Float64Array[]): number[] {
  return Array.from(points[0]!, (_, dim) => meanOf(points.map((point) => point[dim]!)))
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return Math.sqrt(sum)
}
