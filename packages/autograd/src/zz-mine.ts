import { explain, Parameter, randn, tensor, conv2d, oneHot, flush, softmax, layerNorm } from '@nabla/tensor'
import { grad } from './index.ts'
const which = process.argv[2]
const P = (s: number[], k = 0.1) => new Parameter(randn(s).mul(k))
if (which === 'cnn') {
  const x = randn([64, 1, 28, 28])
  const t = tensor(
    Array.from({ length: 64 }, (_, i) => i % 10),
    { dtype: 'int32' },
  )
  const w1 = P([32, 1, 3, 3]),
    b1 = P([32]),
    w2 = P([64, 32, 3, 3]),
    b2 = P([64]),
    w3 = P([10, 1600]),
    b3 = P([10])
  flush()
  await x.realize()
  const step = () => {
    let h = conv2d(x, w1, b1).relu().maxPool2d(2)
    h = conv2d(h, w2, b2).relu().maxPool2d(2)
    const logits = h.flatten(1).linear(w3, b3)
    const loss = logits.logSoftmax().mul(oneHot(t, 10)).sum(-1).mean().neg()
    const ps = [w1, b1, w2, b2, w3, b3]
    const gs = grad(loss, ps)
    ps.forEach((p, i) => {
      p.value = p.value.sub(gs[i]!.mul(0.1))
    })
    return loss
  }
  const all = () => {
    let h = conv2d(x, w1, b1).relu().maxPool2d(2)
    h = conv2d(h, w2, b2).relu().maxPool2d(2)
    const logits = h.flatten(1).linear(w3, b3)
    const loss = logits.logSoftmax().mul(oneHot(t, 10)).sum(-1).mean().neg()
    return [loss, ...grad(loss, [w1, b1, w2, b2, w3, b3])]
  }
  for (let k = 0; k < 8; k++) await explain(...all())
  console.log(
    (await explain(...all()))
      .split('\n')
      .map((l) => l.replace(/:float32\[\d+\]/g, ''))
      .join('\n'),
  )
  for (let k = 0; k < 30; k++) {
    const s = performance.now()
    const l = step()
    flush()
    if (k % 5 === 0) console.log('step ms', (performance.now() - s).toFixed(1))
  }
}
if (which === 'ops') {
  const q = P([8, 4, 64, 32]),
    g = P([256]),
    b = P([256]),
    x = P([512, 256])
  flush()
  const y = layerNorm(x, 256, { weight: g, bias: b })
  const l = y.square().sum()
  console.log(await explain(l, ...grad(l, [x, g, b])))
  const s = softmax(q, -1).square().sum()
  console.log(await explain(s, ...grad(s, [q])))
  const a = q.value.scaledDotProductAttention(q, q, { causal: true }).square().sum()
  console.log(await explain(a, ...grad(a, [q])))
  const im = P([8, 16, 16, 16]),
    dw = P([16, 1, 3, 3])
  flush()
  const d = conv2d(im, dw, null, { groups: 16, padding: 1 }).square().sum()
  console.log(await explain(d, ...grad(d, [im, dw])))
  const bn = im.value.batchNorm({ training: true }).relu().sum()
  console.log(await explain(bn, ...grad(bn, [im])))
  const e = P([100, 16])
  flush()
  const em = e.value
    .embedding(tensor([1, 2, 3], { dtype: 'int32' }))
    .square()
    .sum()
  console.log(await explain(em, ...grad(em, [e])))
}
