import { describe, expect, it } from 'vitest'
import { html } from '../../../../agent/http/pages/html.ts'

describe('a template of markup', () => {
  it('escapes text, for content and for quoted attributes', () => {
    const text = `<script>alert("1" & '2')</script>`
    expect(html`<p title="${text}">${text}</p>`.html).not.toMatch(/<script|"1"|'2'|& /)
    expect(html`${'<&>"\''}`.html).toBe('&lt;&amp;&gt;&quot;&#39;')
  })

  it('escapes text once, however deep it lies', () => {
    const inner = html`<b>${'a<b'}</b>`
    expect(html`<p>${inner}${[inner, inner]}</p>`.html).toBe(
      '<p><b>a&lt;b</b><b>a&lt;b</b><b>a&lt;b</b></p>',
    )
  })

  it('writes numbers, and nothing for nothing', () => {
    expect(html`<p>${0}${undefined}${''}</p>`.html).toBe('<p>0</p>')
  })
})
