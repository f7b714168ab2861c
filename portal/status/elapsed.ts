/** How long ago a time of the same clock was. Where the clock was set back since, it is as good as long ago. */
export const elapsed = (since: number, now: number): number => (now < since ? Infinity : now - since)
