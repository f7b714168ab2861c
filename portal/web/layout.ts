import type { Assets } from "./assets.ts"
import type { Mood } from "./headline.ts"
import { type Html, markup } from "./html.ts"
import { sprite } from "./icons.ts"

/** What is the same on all pages. */
export interface Frame {
  readonly assets: Assets
  /** Where users reach Prometheus and Grafana, without a slash at the end. */
  readonly links: {
    readonly prometheus?: string
    /** The shard that `prometheus` leads to, where there are several. */
    readonly prometheusOf?: string
    readonly grafana?: string
    /** Where sites that push write to. */
    readonly push?: string
  }
  readonly version: string
  /** At the foot of each page. */
  readonly notice?: string | undefined
  /** The version of what the page shows: live updates go on from there. */
  readonly shows: string
}

/** What a browser's tab shows. */
export const titleOf = (title: string): string => `${title} · fedstack`

/** A whole page. The browser's script makes what is hidden here visible, and finds it by its id. */
export function document(
  frame: Frame,
  page: { readonly title: string; readonly mood: Mood; readonly main: Html; readonly footer?: Html },
): Html {
  const { assets, links, version } = frame
  return markup`<!doctype html>
<html lang="en" data-version="${frame.shows}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${titleOf(page.title)}</title>
<link rel="icon" id="icon" type="image/svg+xml" href="${assets.icons[page.mood]}" data-ok="${assets.icons.ok}" data-attention="${assets.icons.attention}" data-trouble="${assets.icons.trouble}">
<link rel="stylesheet" href="${assets.style}">
<script type="module" src="${assets.script}"></script>
<noscript><meta http-equiv="refresh" content="30"></noscript>
</head>
<body>
${sprite}
<a class="skip" href="#main">Skip to the content</a>
<header>
<a class="brand" href="/">fedstack</a>
<nav aria-label="Main">
<a href="/">Sites</a>${links.prometheus !== undefined && markup`<a href="${links.prometheus}/">Prometheus</a>`}${links.grafana !== undefined && markup`<a href="${links.grafana}/">Grafana</a>`}
</nav>
<div class="tools">
<span id="live" hidden></span><button type="button" id="theme" aria-label="Light or dark" title="Light or dark" hidden>◐</button><button type="button" id="help" aria-label="Keyboard shortcuts" title="Keyboard shortcuts" hidden>?</button>
</div>
</header>
<main id="main" tabindex="-1">${page.main}</main>
<footer>${page.footer}${frame.notice !== undefined && markup`<span>${frame.notice}</span>`}<span>fedstack ${version}</span></footer>
</body>
</html>
`
}
