import { describe, expect, test } from 'vitest'
import { formatDuration, formatLogs, formatStepTime, formatValue } from './numbers.ts'
import { drawBar, ProgressBar } from './progress.ts'
import { Screen } from './testing.ts'

/** A clock that is set by hand, in milliseconds. */
function createClock(): { now: number; read: () => number } {
  const clock = { now: 1000, read: () => clock.now }
  return clock
}

describe('on a terminal', () => {
  test('the bar moves in place, with an estimate of what remains, and ends with times per step', () => {
    const screen = new Screen(true)
    const clock = createClock()
    const bar = new ProgressBar(screen, 1, 'Epoch 1/3', 100, clock.read)
    expect(screen.lines).toEqual(['Epoch 1/3', '  0/100 [..............................]'])
    clock.now += 500
    bar.advance(1)
    bar.update({ loss: 2.5 })
    expect(screen.lines.at(-1)).toBe('  1/100 [..............................] - loss: 2.5000')
    clock.now += 3000
    bar.advance(31)
    bar.update({ loss: 1.25, accuracy: 0.5 })
    expect(screen.lines.at(-1)).toBe(
      ' 31/100 [========>.....................] - ETA: 7s - loss: 1.2500 - accuracy: 0.5000',
    )
    clock.now += 6900
    bar.advance(100)
    clock.now += 1600
    bar.finish({ loss: 0.5, accuracy: 0.75, val_loss: 0.000123 })
    expect(screen.lines).toEqual([
      'Epoch 1/3',
      '100/100 [==============================] - 12s 104ms/step - loss: 0.5000 - accuracy: 0.7500 - val_loss: 1.2300e-4',
      '',
    ])
  })

  test('a narrow one gets a shorter bar, then a cut line: never one that wraps', () => {
    const wide = new Screen(true, 74)
    const bar = new ProgressBar(wide, 1, '', 10, createClock().read)
    bar.advance(5)
    bar.update({ loss: 1, accuracy: 1 })
    expect(wide.lines.at(-1)).toBe(
      ' 5/10 [=========>...........] - ETA: 0s - loss: 1.0000 - accuracy: 1.0000',
    )
    const narrow = new Screen(true, 40)
    const cut = new ProgressBar(narrow, 1, '', 10, createClock().read)
    cut.advance(5)
    cut.update({ loss: 1, accuracy: 1 })
    expect(narrow.lines.at(-1)).toBe(' 5/10 [====>.....] - ETA: 0s - loss: 1…')
  })
})

describe('where nothing can be redrawn', () => {
  test('a line when an epoch ends, and one every ten seconds before', () => {
    const screen = new Screen(false)
    const clock = createClock()
    const bar = new ProgressBar(screen, 1, 'Epoch 1/1', 4, clock.read)
    for (const step of [1, 2, 3, 4]) {
      clock.now += 6000
      bar.advance(step)
      bar.update({ loss: step })
    }
    bar.finish({ loss: 4 })
    expect(screen.text).toBe(
      [
        'Epoch 1/1',
        '2/4 [==============>...............] - ETA: 12s - loss: 2.0000',
        '4/4 [==============================] - 24s 6s/step - loss: 4.0000',
        '',
      ].join('\n'),
    )
  })

  test('verbosity 2 is one line, verbosity 0 none', () => {
    const screen = new Screen(false)
    const clock = createClock()
    const line = new ProgressBar(screen, 2, 'Epoch 2/3', 4, clock.read)
    clock.now += 8
    line.advance(4)
    line.update({ loss: 1 })
    line.finish({ loss: 1 })
    const silent = new ProgressBar(screen, 0, 'Epoch 3/3', 4, clock.read)
    silent.advance(4)
    silent.update({ loss: 1 })
    silent.finish({ loss: 1 })
    silent.breakLine()
    expect(screen.text).toBe('Epoch 2/3 - 4/4 - 0s 2ms/step - loss: 1.0000\n')
  })
})

test('bars', () => {
  expect(drawBar(0, 10, 10)).toBe('[..........]')
  expect(drawBar(1, 10, 10)).toBe('[>.........]')
  expect(drawBar(9, 10, 10)).toBe('[========>.]')
  expect(drawBar(10, 10, 10)).toBe('[==========]')
})

test('times and values', () => {
  expect([0, 59.4, 60, 3599, 7207].map(formatDuration)).toEqual(['0s', '59s', '1:00', '59:59', '2:00:07'])
  expect([2, 0.0131, 0.00024].map(formatStepTime)).toEqual(['2s/step', '13ms/step', '240us/step'])
  expect([0, 0.5, 12.34567, -0.0001234, 1e9, NaN, Infinity].map(formatValue)).toEqual([
    '0.0000',
    '0.5000',
    '12.3457',
    '-1.2340e-4',
    '1.0000e+9',
    'NaN',
    'Infinity',
  ])
  expect(formatLogs({ loss: 1, accuracy: 0.5 })).toBe(' - loss: 1.0000 - accuracy: 0.5000')
})
