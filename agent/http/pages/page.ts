import { type Html, html } from './html.ts'

/** What a page holds. */
export interface PageParts {
  readonly title: string
  readonly body: Html
  /** Names of its script below `/docs/assets/`. */
  readonly script?: string
}

/** A whole page. It loads nothing from elsewhere, and runs no script of its own text. */
export function page({ title, body, script }: PageParts): string {
  const load = script && html`<script src="/docs/assets/${script}" defer></script>`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/assets/page.css">
${load}
</head>
<body>
${body}
</body>
</html>
`.html
}
