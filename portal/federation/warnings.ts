import { beyondBounds, DEFAULT_BOUNDS } from "#core/promql/bounds.ts"
import { overlaps } from "./overlap.ts"
import type { Site } from "./sites.ts"

/** What may be an oversight of an entry: logged whenever the configuration files are read, and shown by check sites. */
export interface SiteWarning {
  readonly site: Site
  readonly message: string
}

const PLAIN_HTTP = "credentials and data cross the network unencrypted: give the site TLS, and its url https://"
const PLAIN_OAUTH2 =
  "the client secret of oauth2 crosses the network unencrypted: give its server TLS, and token_url https://"

/** What the portal cannot know is whether the site did so. */
const RAISE =
  "the default of a site's proxy: have the site raise it, or spread the selectors over several entries with its url"

export const warningsOf = (listed: readonly Site[]): readonly SiteWarning[] => {
  const sites = listed.filter(({ paused }) => paused === undefined)
  return [
    ...sites.flatMap((site) => [
      ...(sendsInPlain(site.url) ? [{ site, message: PLAIN_HTTP }] : []),
      ...(site.oauth2 !== undefined && sendsInPlain(site.oauth2.token_url) ? [{ site, message: PLAIN_OAUTH2 }] : []),
      ...beyondBounds(site.match, DEFAULT_BOUNDS).map((problem) => ({
        site,
        message: `its request ${problem}, ${RAISE}`,
      })),
    ]),
    ...overlaps(sites).map(({ site, other, selectors }) => ({
      site,
      message:
        selectors === undefined
          ? `its selectors and those of ${other.name}, which has its url too, are too many to be compared: a series that both select counts twice in sums over both`
          : `${selectors[0]} and ${selectors[1]} of ${other.name} may select the same series of one url: sums over both count them twice`,
    })),
  ]
}

/** As a URL's `hostname` shows them. Other names, such as those of containers, may lead over a network to another machine. */
const LOOPBACK = /^(?:localhost\.?|127(?:\.\d+){3}|\[::(?:1|ffff:7f[\da-f]{2}:[\da-f]{1,4})\])$/

export const sendsInPlain = ({ protocol, hostname }: URL): boolean => protocol === "http:" && !LOOPBACK.test(hostname)
