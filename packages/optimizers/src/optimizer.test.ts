import { BackendError, engine, ShapeError, ValueError, type Backend } from '@nabla/engine'
import { Parameter, tensor, zeros } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { Adam, AdamW } from './adam.ts'
import { Optimizer } from './optimizer.ts'
import { SGD } from './sgd.ts'
import { optimizer, type OptimizerName } from './table.ts'

const values = async (parameter: Parameter): Promise<number[]> => [...(await parameter.value.data())]

test('a step updates what has a gradient, and clears it', async () => {
  const a = new Parameter([1, 2])
  const b = new Parameter([5])
  const frozen = new Parameter([7])
  frozen.requiresGrad = false
  const sgd = new SGD([a, b, frozen], { lr: 0.5 })
  a.grad = tensor([2, -2])
  frozen.grad = tensor([1])
  sgd.step()
  expect(await values(a)).toEqual([0, 3])
  expect(await values(b)).toEqual([5])
  expect(await values(frozen)).toEqual([7])
  expect(a.grad).toBeNull()
})

test('nothing to do is no error', () => {
  const sgd = new SGD([new Parameter([1])])
  sgd.step()
  expect(sgd.state().parameters).toEqual({})
})

test('parameters are written together, from the values before the step', async () => {
  const a = new Parameter([1])
  const b = new Parameter([10])
  const sgd = new SGD([a, b], { lr: 1 })
  a.grad = b.value.mul(1)
  b.grad = a.value.mul(1)
  sgd.step()
  expect(await values(a)).toEqual([-9])
  expect(await values(b)).toEqual([9])
})

test('R2: learning rates, decays and corrections are numbers: one plan for all steps', () => {
  const names: OptimizerName[] = ['sgd', 'adam', 'adamw', 'rmsprop', 'adagrad', 'adadelta', 'adamax', 'nadam']
  for (const name of names) {
    const parameter = new Parameter([1, 2, 3])
    const made = optimizer(name)([parameter], { lr: 0.1, weightDecay: 0.5 })
    const before = engine.statistics.plansBuilt
    for (let step = 0; step < 12; step++) {
      // 0 and 1 are numbers like any other here.
      made.lr = [0.1, 1, 0, 0.01][step % 4]!
      made.groups[0]!.weightDecay = [0.5, 1, 0.25][step % 3]!
      parameter.grad = tensor([0.1, 0.2, 0.3])
      made.step()
    }
    expect([name, engine.statistics.plansBuilt - before]).toEqual([name, 1])
  }
})

test('many parameters of one shape share their kernels and make one plan', () => {
  const parameters = Array.from({ length: 8 }, () => new Parameter([1, 2]))
  const adam = new Adam(parameters)
  const before = engine.statistics.plansBuilt
  for (let step = 0; step < 3; step++) {
    for (const parameter of parameters) parameter.grad = tensor([1, -1])
    adam.step()
  }
  expect(engine.statistics.plansBuilt - before).toBe(1)
})

test('groups have hyperparameters of their own', async () => {
  const a = new Parameter([1])
  const b = new Parameter([1])
  const sgd = new SGD([{ params: [a], lr: 0.5 }, { params: [b] }], { lr: 0.25 })
  a.grad = tensor([1])
  b.grad = tensor([1])
  sgd.step()
  expect([await values(a), await values(b)]).toEqual([[0.5], [0.75]])
  expect(sgd.lr).toBe(0.5)
  sgd.lr = 1
  expect(sgd.groups.map(({ lr }) => lr)).toEqual([1, 1])
})

test('zeroGrad forgets gradients', () => {
  const parameter = new Parameter([1])
  parameter.grad = tensor([1])
  new SGD([parameter]).zeroGrad()
  expect(parameter.grad).toBeNull()
})

test('a step that fails changes nothing, and the next one goes on as if it had not been', async () => {
  const backend = engine.backend
  const run = async (fail: boolean): Promise<number[]> => {
    const parameter = new Parameter([1, 2])
    const adam = new Adam([parameter], { lr: 0.1, weightDecay: 0.1 })
    for (let step = 0; step < 3; step++) {
      parameter.grad = tensor([0.5, -1])
      if (fail && step === 1) {
        const gradient = parameter.grad
        const before = await values(parameter)
        // A structure that no plan is ready for, on a backend that can make no kernel.
        parameter.grad = gradient.mul(1).add(0).exp()
        engine.setBackend(brokenBackend(backend))
        expect(() => adam.step()).toThrow(BackendError)
        engine.setBackend(backend)
        expect(await values(parameter)).toEqual(before)
        expect(parameter.grad).not.toBeNull()
        expect(adam.state().parameters['0']!.step).toBe(1)
        parameter.grad = gradient
      }
      adam.step()
    }
    return values(parameter)
  }
  expect(await run(true)).toEqual(await run(false))
})

function brokenBackend(backend: Backend): Backend {
  return new Proxy(backend, {
    get(target, key) {
      if (key === 'kernel') {
        return () => {
          throw new BackendError('no kernels today')
        }
      }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

test('a gradient of the wrong shape is refused before anything is recorded', async () => {
  const a = new Parameter([1])
  const b = new Parameter([1, 2], { name: 'weight' })
  const sgd = new SGD([a, b], { lr: 1 })
  a.grad = tensor([1])
  b.grad = tensor([1])
  expect(() => sgd.step()).toThrow(ShapeError)
  expect(() => sgd.step()).toThrow('SGD: the gradient of weight has shape [1], not [2]')
  expect(await values(a)).toEqual([1])
})

test('state goes into another optimizer and comes out the same', async () => {
  const drive = (adam: AdamW, parameter: Parameter, steps: number): void => {
    for (let step = 0; step < steps; step++) {
      parameter.grad = parameter.value.mul(0.5).add(step)
      adam.step()
    }
  }
  const straight = new Parameter([1, -2])
  const through = new AdamW([straight], { lr: 0.1, amsgrad: true })
  drive(through, straight, 4)
  drive(through, straight, 3)

  const first = new Parameter([1, -2])
  const before = new AdamW([first], { lr: 0.1, amsgrad: true })
  drive(before, first, 4)
  const saved = before.state()
  expect(Object.keys(saved.parameters['0']!.slots)).toEqual(['expAvg', 'expAvgSq', 'maxExpAvgSq'])
  const second = new Parameter(await first.value.data())
  const after = new AdamW([second], { lr: 0.5, amsgrad: true })
  // As data, as it would come from a file.
  for (const [name, slot] of Object.entries(saved.parameters['0']!.slots)) {
    saved.parameters['0']!.slots[name] = { data: await (slot as Parameter).read(), shape: slot.shape }
  }
  after.loadState(saved)
  drive(after, second, 3)
  expect(await values(second)).toEqual(await values(straight))
})

test('a state that does not fit is refused', () => {
  const parameter = new Parameter([1, 2])
  const other = new Parameter([1, 2, 3])
  const adam = new Adam([parameter])
  parameter.grad = tensor([1, 1])
  adam.step()
  expect(() => new Adam([other]).loadState(adam.state())).toThrow(ShapeError)
  expect(() => new Adam([parameter, other]).loadState(adam.state())).toThrow(
    /groups with \[1\] parameters; this optimizer has \[2\]/,
  )
  const lacking = adam.state()
  delete lacking.parameters['0']!.slots['expAvgSq']
  expect(() => adam.loadState(lacking)).toThrow(/the state of parameter 0 lacks expAvgSq; it has expAvg/)
})

test('wrong arguments are refused', () => {
  const parameter = new Parameter([1], { name: 'weight' })
  expect(() => new SGD([])).toThrow(/SGD: the list of parameters is empty/)
  expect(() => new SGD(3 as unknown as Parameter[])).toThrow(
    /expected parameters, for example model.parameters\(\); got 3/,
  )
  expect(() => new SGD([zeros([2])] as unknown as Parameter[])).toThrow(
    /entry 0 is no Parameter; got a Tensor/,
  )
  expect(() => new SGD([parameter, parameter])).toThrow(/weight is listed twice/)
  expect(() => new SGD([parameter], { lr: -1 })).toThrow(ValueError)
  expect(() => new SGD([parameter], { lr: NaN })).toThrow(
    /SGD: lr must be a finite number, zero or larger; got NaN/,
  )
  expect(() => new Adam([parameter], { betas: [0.9, 1] })).toThrow(
    /Adam: betas\[1\] must lie in \[0, 1\); got 1/,
  )
  expect(() => new SGD([parameter], { nesterov: true })).toThrow(/nesterov needs a momentum/)
  expect(() => optimizer('adma' as 'adam')).toThrow(/unknown optimizer 'adma'. Did you mean 'adam'\?/)
})

test('a new optimizer is its rule alone', async () => {
  class SignDescent extends Optimizer<{ lr: number; weightDecay: number; maximize: boolean }> {
    protected override slots(): Record<string, number> {
      return {}
    }

    protected override update(
      ...[parameter, gradient, , { lr }]: Parameters<Optimizer<never>['update']>
    ): never {
      return { parameter: parameter.sub(gradient.sign().mul(lr)) } as never
    }
  }
  const parameter = new Parameter([1, 1])
  const optimizer = new SignDescent([parameter], { lr: 0.25, weightDecay: 0, maximize: false })
  parameter.grad = tensor([-3, 0.1])
  optimizer.step()
  expect(await values(parameter)).toEqual([1.25, 0.75])
})

test('parameters that are at different steps do not share what depends on the step', async () => {
  const start = [1, -2]
  const late = new Parameter(start)
  const together = new Adam([new Parameter([4]), late])
  const alone = new Parameter(start)
  const byItself = new Adam([alone])
  for (let i = 0; i < 3; i++) {
    together.groups[0]!.params[0]!.grad = tensor([0.5])
    if (i > 0) {
      late.grad = tensor([0.3, -0.1 * i])
      alone.grad = tensor([0.3, -0.1 * i])
      byItself.step()
    }
    together.step()
  }
  expect(await values(late)).toEqual(await values(alone))
})
