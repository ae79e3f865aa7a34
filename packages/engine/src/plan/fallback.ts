// What happens where a backend has no form of a routine: the interpreter does it on copies, slowly, and it is said once
// (R10). Read next: backend.ts for what a routine is.
import type { Backend, Executable, Place } from '../backend.ts'
import { BackendError } from '../errors.ts'
import { createInterpreter } from '../interpreter/index.ts'
import type { RoutineSpec } from '../routine.ts'
import type { PlanSlot } from './plan.ts'

const said = new Set<string>()

/** An executable that moves the operands to the interpreter, runs the routine there, and moves the result back. */
export function interpretRoutine(
  spec: RoutineSpec,
  slots: readonly PlanSlot[],
  backend: Backend,
): Executable {
  const interpreter = createInterpreter({ round: true })
  const factory = interpreter.routines[spec.name] as ((spec: RoutineSpec) => Executable | null) | undefined
  const executable = factory?.(spec)
  if (executable === null || executable === undefined)
    throw new BackendError(`no backend can run routine ${spec.name}`)
  const note = `${spec.name} of ${slots[spec.slots.at(-1)!]!.dtype} runs in the interpreter: ${backend.name} has no form of it`
  if (!said.has(note)) {
    said.add(note)
    console.warn(`nabla: ${note}`)
  }
  return {
    run(places, numbers) {
      const copies: Place[] = []
      for (const slot of spec.slots) {
        const { dtype, length } = slots[slot]!
        const place = (copies[slot] = interpreter.allocate(length * 8 + 8))
        const data = backend.read(places[slot]!, dtype, length)
        if (data instanceof Promise)
          throw new BackendError(`${spec.name}: no synchronous copy from ${backend.name}`)
        interpreter.write(place, dtype, data)
      }
      executable.run(copies, numbers)
      const out = spec.slots.at(-1)!
      const { dtype, length } = slots[out]!
      const result = interpreter.read(copies[out]!, dtype, length)
      if (!(result instanceof Promise)) backend.write(places[out]!, dtype, result)
      for (const slot of spec.slots) interpreter.release(copies[slot]!)
    },
    dispose() {
      executable.dispose()
    },
  }
}
