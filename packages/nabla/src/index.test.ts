import * as autograd from '@nabla/autograd'
import * as backendWasm from '@nabla/backend-wasm'
import * as data from '@nabla/data'
import * as engine from '@nabla/engine'
import * as layers from '@nabla/layers'
import * as losses from '@nabla/losses'
import * as metrics from '@nabla/metrics'
import * as optimizers from '@nabla/optimizers'
import * as tensor from '@nabla/tensor'
import * as training from '@nabla/training'
import { expect, test } from 'vitest'
import * as nabla from './index.ts'

// A name that two packages export for different things would be missing: JavaScript drops it without a word.
test.each(
  Object.entries({ autograd, data, layers, losses, metrics, optimizers, tensor, training } as Record<
    string,
    object
  >),
)('everything in %s is here, and is the same thing', (_, exported) => {
  for (const [name, value] of Object.entries(exported)) {
    expect((nabla as Record<string, unknown>)[name], name).toBe(value)
  }
})

test('the floors below are here as namespaces', () => {
  const { Variable } = nabla as { Variable: unknown }
  expect(nabla.engine.Variable).toBe(engine.Variable)
  expect(nabla.backendWasm.createWasmBackend).toBe(backendWasm.createWasmBackend)
  expect(Variable).toBe(tensor.Variable)
})
