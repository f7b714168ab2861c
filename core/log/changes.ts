/**
 * Returns a function that is called with the present state, again and again, and calls `log` when it is another than the time
 * before: a failure that lasts is one line. The state before the first call is undefined, which mostly means that nothing is
 * wrong. Details are passed on and not compared.
 */
export function logChanges<State, Details extends readonly unknown[] = []>(
  log: (state: State | undefined, ...details: Details) => void,
): (state: State | undefined, ...details: Details) => void {
  let before: State | undefined
  return (state, ...details) => {
    if (state === before) return
    before = state
    log(state, ...details)
  }
}

/** The same for several things at once. Those that are not in `states` are forgotten without a line. */
export function logChangesOfEach<Key, State>(
  log: (key: Key, state: State | undefined) => void,
): (states: ReadonlyMap<Key, State | undefined>) => void {
  let before: ReadonlyMap<Key, State | undefined> = new Map()
  return (states) => {
    for (const [key, state] of states) if (state !== before.get(key)) log(key, state)
    before = states
  }
}
