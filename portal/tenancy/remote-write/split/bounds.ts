/** Series of a message. Real ones have thousands; a hostile one has as many as half its bytes. */
export const MOST_SERIES = 2 ** 18

/** Labels of all series of a message: 32 MiB have so many where each is 16 bytes long. */
export const MOST_LABELS_IN_ALL = 2 ** 21

/** Different values of the labels that decide, in a message: a hostile one has some for each of its series. */
export const MOST_TARGETS = 2 ** 14

/** Fields of series that are not as senders write them, or long: each takes some times as long to read. */
export const MOST_UNUSUAL = 2 ** 21
