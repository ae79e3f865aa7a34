// Measures a model on data: the loss and the metrics of one pass, in evaluation mode. For validation, and for `evaluate`.
import type { DataLoader } from '@nabla/data'
import { breathe } from '@nabla/engine'
import { sayWhere } from './failure.ts'
import type { ProgressBar } from './progress.ts'
import type { Pulse } from './pulse.ts'
import { evaluateStep, type StepParts } from './step.ts'

/**
 * @param where what messages call this pass
 * @param bar shows how far it is; ended here with the values that are returned
 */
export async function measure(
  parts: StepParts,
  data: DataLoader,
  pulse: Pulse,
  where: string,
  bar: ProgressBar | null = null,
): Promise<Record<string, number>> {
  const { meters } = parts
  let done = 0
  meters.reset()
  for await (const batch of data) {
    try {
      await evaluateStep(parts, batch)
    } catch (error) {
      bar?.breakLine()
      throw sayWhere(error, `${where}, batch ${done + 1} of ${data.length}`)
    }
    done += 1
    bar?.advance(done)
    if (pulse.beats()) {
      if (bar !== null) bar.update(await meters.read())
      await breathe()
    }
  }
  const logs = await meters.read()
  bar?.finish(logs)
  return logs
}
