// Answers of the API in components.
import { useQuery, type UseQueryResult } from '@tanstack/react-query'
import { request, type Params } from './request'

export interface Parsed<T> {
  readonly value: T
  readonly warnings: readonly string[]
}

export interface UseAnswerOptions {
  readonly enabled?: boolean
  readonly refreshMs?: number // asks again so often while the page is seen
}

// How often pages about the present ask again.
export const REFRESH_MS = 30_000

// `parse` runs once for each answer and must not depend on anything else.
export function useAnswer<T>(
  path: string,
  params: Params,
  parse: (data: unknown) => T,
  options: UseAnswerOptions = {},
): UseQueryResult<Parsed<T>> {
  return useQuery({
    queryKey: ['answer', path, params, parse.name],
    queryFn: async ({ signal }): Promise<Parsed<T>> => {
      const { data, warnings } = await request(path, params, { signal })
      return { value: parse(data), warnings }
    },
    enabled: options.enabled ?? true,
    refetchInterval: options.refreshMs ?? false,
    retry: false,
  })
}
