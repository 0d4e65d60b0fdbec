import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { fileSink } from '../../../agent/sinks/file.ts'
import type { OutputSpec } from '../../../schemas/control.ts'
import { conformsToSink, type Place, type SinkCase, type Trouble } from '../../conformance/sink.ts'
import { dog, give, result, sinkContext, temporaryFolder } from './surroundings.ts'

function fileCase(ending: string, seqs: (folder: string) => number[]): SinkCase {
  const url = `file:seen/out${ending}`
  const outside = (
    wanted: string,
    prepare: (folder: string) => void = () => undefined,
  ): Trouble => {
    const mediaFolder = temporaryFolder()
    prepare(mediaFolder)
    return { spec: { url: wanted }, context: { mediaFolder }, cause: /media folder/ }
  }
  return {
    async working(): Promise<Place> {
      const mediaFolder = temporaryFolder()
      const arrived = async () => seqs(join(mediaFolder, 'seen'))
      return { spec: { url }, context: { mediaFolder }, arrived }
    },
    troubles: {
      'has too little space': async () => ({
        spec: { url },
        context: { minFreeBytes: Number.MAX_SAFE_INTEGER },
        cause: /bytes free.*outputs\.minFreeBytes/,
      }),
      'lies in a folder that is a file': async () => {
        const mediaFolder = temporaryFolder()
        writeFileSync(join(mediaFolder, 'seen'), '')
        return { spec: { url }, context: { mediaFolder }, cause: /cannot write.*seen/ }
      },
    },
    forbidden: {
      'a path outside the media folder': () => outside(`file:///tmp/elsewhere/out${ending}`),
      'a way out of it': () => outside(`file:../out${ending}`),
      'a hidden way out of it': () => outside(`file:///%2e%2e/%2e%2e/out${ending}`),
      'another machine': () => ({ ...outside(`file://host/out${ending}`), cause: /no path/ }),
      'a folder that leads out of it': () => {
        const elsewhere = temporaryFolder()
        return outside(url, (folder) => symlinkSync(elsewhere, join(folder, 'seen')))
      },
    },
  }
}

const lines = (path: string): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean)

conformsToSink(
  'file: .jsonl',
  fileCase('.jsonl', (folder) =>
    lines(join(folder, 'out.jsonl')).map((line) => JSON.parse(line).seq),
  ),
)
conformsToSink(
  'file: .csv',
  fileCase('.csv', (folder) =>
    lines(join(folder, 'out.csv'))
      .slice(1)
      .map((line) => Number(line.split(',')[4])),
  ),
)
conformsToSink(
  'file: .jpg',
  fileCase('.jpg', (folder) =>
    readdirSync(folder)
      .sort()
      .map((name) => Number(/-(\d{8})\.jpg$/.exec(name)?.[1])),
  ),
)

async function written(spec: OutputSpec, results: Parameters<typeof give>[1][]) {
  const { context } = sinkContext()
  const sink = fileSink(spec, context)
  await sink.open()
  for (const one of results) await give(sink, one)
  await sink.close()
  return context.mediaFolder
}

describe('file:', () => {
  it('names the endings that it knows', () => {
    const { context } = sinkContext()
    expect(() => fileSink({ url: 'file:a.txt' }, context)).toThrow(
      expect.objectContaining({
        code: 'SINK_UNSUPPORTED',
        message: expect.stringMatching(/\.jsonl \.csv .*\.jpg/),
      }),
    )
  })

  it('makes one file for each input', async () => {
    const inputs = ['gate', 'yard', 'gate']
    const folder = await written(
      { url: 'file:{input}/seen.jsonl' },
      inputs.map((input, seq) => result(seq, { input })),
    )
    expect(lines(join(folder, 'gate/seen.jsonl'))).toHaveLength(2)
    expect(lines(join(folder, 'yard/seen.jsonl'))).toHaveLength(1)
  })

  it('does not write through a link that was put in the place of the file', async () => {
    const { context } = sinkContext()
    const target = join(temporaryFolder(), 'target')
    writeFileSync(target, 'untouched')
    symlinkSync(target, join(context.mediaFolder, 'out.jsonl'))
    const sink = fileSink({ url: 'file:out.jsonl' }, context)
    await sink.open()
    await expect(give(sink, result(0))).rejects.toMatchObject({ code: 'SINK_FORBIDDEN' })
    await sink.close()
    expect(readFileSync(target, 'utf8')).toBe('untouched')
  })

  it('begins a new line after half a one', async () => {
    const { context } = sinkContext()
    writeFileSync(join(context.mediaFolder, 'out.jsonl'), '{"seq": 1')
    const sink = fileSink({ url: 'file:out.jsonl' }, context)
    await sink.open()
    await give(sink, result(2))
    await sink.close()
    const [half, whole = ''] = lines(join(context.mediaFolder, 'out.jsonl'))
    expect(half).toBe('{"seq": 1')
    expect(JSON.parse(whole)).toMatchObject({ seq: 2 })
  })
})

describe('file: .csv', () => {
  it('writes a header once and a row per item', async () => {
    const { context } = sinkContext()
    const cat = { label: 'cat', classId: 16, score: 0.5, box: [1, 2, 3, 4.5], track: 7 } as const
    for (const seq of [0, 1]) {
      const sink = fileSink({ url: 'file:out.csv' }, context)
      await sink.open()
      await give(sink, result(seq, { items: [dog, { ...cat, box: [...cat.box] }], pts: 0.04 }))
      await give(sink, result(seq + 10, { items: [] }))
      await sink.close()
    }
    const time = [
      '2026-11-23T09:00:00.000Z,1795424400000',
      '2026-11-23T09:00:01.000Z,1795424401000',
    ]
    expect(readFileSync(join(context.mediaFolder, 'out.csv'), 'utf8')).toBe(
      [
        'time,capturedAt,input,run,seq,pts,model,label,classId,score,x,y,width,height,track,frameWidth,frameHeight,source,tag',
        `${time[0]},gate,k3f9,0,0.04,ssd,dog,17,0.75,20,30,60,50,,160,120,,`,
        `${time[0]},gate,k3f9,0,0.04,ssd,cat,16,0.5,1,2,3,4.5,7,160,120,,`,
        `${time[1]},gate,k3f9,1,0.04,ssd,dog,17,0.75,20,30,60,50,,160,120,,`,
        `${time[1]},gate,k3f9,1,0.04,ssd,cat,16,0.5,1,2,3,4.5,7,160,120,,`,
        '',
      ].join('\r\n'),
    )
  })

  it.each([
    ['=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['-1+1', "'-1+1"],
    ['\tx', "'\tx"],
    ['a, "b"\r\nc', '"a, ""b""\r\nc"'],
    ['plain', 'plain'],
  ])('keeps %j from being run or torn apart', async (tag, field) => {
    const folder = await written({ url: 'file:out.csv' }, [result(0, { tag })])
    const text = readFileSync(join(folder, 'out.csv'), 'utf8')
    expect(text.endsWith(`,${field}\r\n`)).toBe(true)
  })
})

describe('file: .jpg', () => {
  it('shows what was found, where it was found', async () => {
    const folder = await written({ url: 'file:{input}.jpg' }, [result(3)])
    const [name = ''] = readdirSync(folder)
    expect(name).toBe('gate-2026-11-23T09-00-03-00000003.jpg')
    const { data, info } = await sharp(join(folder, name))
      .raw()
      .toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([160, 120])
    const [x, y, width, height] = dog.box
    const distance = (column: number, row: number): number => {
      const at = (row * info.width + column) * 3
      return Math.max(...[0, 1, 2].map((channel) => Math.abs((data[at + channel] ?? 0) - 128)))
    }
    const middle = x + width / 2
    expect(distance(middle, y + height - 1)).toBeGreaterThan(40)
    expect(distance(x, y + height / 2)).toBeGreaterThan(40)
    expect(distance(middle, y + height / 2 + 10)).toBeLessThan(10)
    expect(distance(middle, y + height + 10)).toBeLessThan(10)
  })

  it('never writes a name twice', async () => {
    const spec = { url: 'file:{input}-{seq}.jpg' }
    const folder = await written(spec, [result(5), result(5), result(6)])
    expect(readdirSync(folder).sort()).toEqual([
      'gate-00000005.1.jpg',
      'gate-00000005.jpg',
      'gate-00000006.jpg',
    ])
  })

  it('keeps the newest, those of earlier times included, and no other file', async () => {
    const { context } = sinkContext()
    const spec = { url: 'file:hits/x.jpg', keep: 2 }
    mkdirSync(join(context.mediaFolder, 'hits'))
    writeFileSync(join(context.mediaFolder, 'hits/x-mine.jpg'), '')
    for (const opening of [0, 1]) {
      const sink = fileSink(spec, context)
      await sink.open()
      for (const step of [0, 1, 2]) await give(sink, result(opening * 3 + step))
      await sink.close()
    }
    expect(readdirSync(join(context.mediaFolder, 'hits')).sort()).toEqual([
      'x-2026-11-23T09-00-04-00000004.jpg',
      'x-2026-11-23T09-00-05-00000005.jpg',
      'x-mine.jpg',
    ])
  })
})
