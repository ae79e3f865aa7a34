// A model at a glance: its modules with their parameters counted.
import { formatShape } from '@nabla/engine'
import type { Parameter } from '@nabla/tensor'
import type { Module } from './module.ts'

/**
 * A table of all layers with parameters of their own: name, kind, shapes, and how many numbers they hold. A parameter
 * that several layers share is counted where it comes first.
 */
export function summary(model: Module): string {
  const counted = new Set<Parameter>()
  const rows = [['name', 'layer', 'shapes', 'parameters']]
  for (const [name, module] of model.namedModules()) {
    const members = [...module.members()].map(([, member]) => member)
    const own = module
      .parameters()
      .filter((parameter) => members.includes(parameter) && !counted.has(parameter))
    const hasModules = members.some((member) => 'namedModules' in member)
    if (own.length === 0 && hasModules) continue
    for (const parameter of own) counted.add(parameter)
    const shapes = own.map((parameter) => formatShape(parameter.shape)).join(' ')
    rows.push([name, `${module.constructor.name}(${module.describe()})`, shapes, grouped(countOf(own))])
  }
  const all = model.parameters()
  const trained = all.filter((parameter) => parameter.requiresGrad)
  const total = `${grouped(countOf(all))} parameters, ${grouped(countOf(trained))} of them trained`
  return `${layOut(rows)}\n${total}`
}

function countOf(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
}

function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

function layOut(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 3 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  '),
  )
  const rule = '-'.repeat(lines[0]!.length)
  return [lines[0], rule, ...lines.slice(1), rule].join('\n')
}
