// The golden files that can be replayed, and how each is. Read before: format.ts.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replayDistributions, type DistributionCase } from './distributions.ts'
import type { GoldenCase, GoldenFile, Outcome } from './format.ts'
import { replayLayers, type LayerCase } from './layers.ts'
import { lossMappings } from './losses.ts'
import { replayMetrics, type MetricCase } from './metrics.ts'
import { opMappings } from './ops.ts'
import { replayOptimizers, type OptimizerCase } from './optimizers.ts'
import { replayAll, type CallCase } from './replay.ts'
import { replaySchedulers, type SchedulerCase } from './schedulers.ts'

type Replay = (file: GoldenFile<GoldenCase>) => Promise<Outcome[]>

function replays<Case extends GoldenCase>(replay: (file: GoldenFile<Case>) => Promise<Outcome[]>): Replay {
  return (file) => replay(file as GoldenFile<Case>)
}

/** A file of which nothing exists here yet. */
const allMissing: Replay = async (file) =>
  file.cases.map(({ id }) => ({ id, status: 'missing', message: `nothing of ${file.kind} exists here` }))

const files: Readonly<Record<string, Replay>> = {
  ops: replays<CallCase>((file) => replayAll(file, opMappings)),
  losses: replays<CallCase>((file) => replayAll(file, lossMappings)),
  layers: replays<LayerCase>(replayLayers),
  optimizers: replays<OptimizerCase>(replayOptimizers),
  metrics: replays<MetricCase>(replayMetrics),
  schedulers: replays<SchedulerCase>(replaySchedulers),
  distributions: replays<DistributionCase>(replayDistributions),
  classical: allMissing,
  tokenizers: allMissing,
}

/** Counts of a file's outcomes. */
export interface Counts {
  readonly pass: number
  readonly fail: number
  readonly missing: number
  readonly total: number
}

/** Replays every known file of a folder. */
export async function replayFolder(folder: string): Promise<Record<string, Outcome[]>> {
  const results: Record<string, Outcome[]> = {}
  for (const [name, replay] of Object.entries(files)) {
    const path = join(folder, `${name}.json`)
    if (!existsSync(path)) continue
    const file = JSON.parse(readFileSync(path, 'utf8')) as GoldenFile<GoldenCase>
    if (file.format !== 'golden-1') throw new Error(`${path} has the format '${file.format}', not golden-1`)
    results[name] = await replay(file)
  }
  return results
}

/** How many passed, failed and are missing. */
export function countsOf(outcomes: readonly Outcome[]): Counts {
  const count = (status: Outcome['status']): number => outcomes.filter((outcome) => outcome.status === status).length
  return { pass: count('pass'), fail: count('fail'), missing: count('missing'), total: outcomes.length }
}
