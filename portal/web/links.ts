/** Names are shorter: what is longer is no site, and no reason for a long page. */
const LONGEST = 100

/** Where the page of a site stands. */
export const siteLink = (name: string): string => `/sites/${encodeURIComponent(name.slice(0, LONGEST).toWellFormed())}`
