import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorCodes } from '../schemas/errors.ts'

const readme = readFileSync('README.md', 'utf8')
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>
}

/** Rows of tables that begin with a code: `| \`CODE\` | meaning | cure |`. */
const rows = new Map(
  [...readme.matchAll(/^\| *`([A-Z]+(?:_[A-Z]+)*)` *\|(.*)\|$/gm)].map(
    ([, code = '', rest = '']) => [code, rest.split('|').map((cell) => cell.trim())],
  ),
)

describe('the README', () => {
  it('documents every error code, and no other', () => {
    expect([...rows.keys()].toSorted()).toEqual(Object.keys(errorCodes).toSorted())
  })

  it.each(Object.keys(errorCodes))('says of %s what it means and what helps', (code) => {
    const cells = rows.get(code) ?? []
    expect(cells.length).toBeGreaterThanOrEqual(2)
    expect(cells.filter((cell) => cell.length < 15)).toEqual([])
  })

  it('names commands that exist', () => {
    const named = [...readme.matchAll(/npm (?:run ([a-z:-]+)|(start|test)\b)/g)]
    const commands = named.map(([, run, own]) => run ?? own ?? '')
    expect(commands).toEqual(expect.arrayContaining(['start', 'test']))
    expect(commands.filter((command) => !(command in scripts))).toEqual([])
  })
})
