// The item of a list at an index that is known to be inside of it.
export function itemAt<T>(list: readonly T[], index: number): T {
  if (index < 0 || index >= list.length) throw new RangeError(`no item ${index} of ${list.length}`)
  return list[index] as T
}
