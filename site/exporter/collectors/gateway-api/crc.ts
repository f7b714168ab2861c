/** CRC-32 as gzip has it (RFC 1952), reflected: the bit of x^31 is the lowest. */
const POLYNOMIAL = 0xedb88320
/** x^0. */
const ONE = 0x80000000

/** a times b, modulo the polynomial. */
function multiply(a: number, b: number): number {
  let [product, factor] = [0, b]
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= factor
    factor = (factor & 1) === 0 ? factor >>> 1 : (factor >>> 1) ^ POLYNOMIAL
  }
  return product >>> 0
}

/** What a checksum is multiplied by when so many bytes follow: x^(8·length). */
export function shiftOf(length: number): number {
  let [result, power] = [ONE, 0x00800000] // x^8
  for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, power)
    power = multiply(power, power)
  }
  return result
}

/** The checksum of two texts in a row, of those of each and `shiftOf` the second one's length. */
export function combine(first: number, second: number, shift: number): number {
  return (multiply(first, shift) ^ second) >>> 0
}
