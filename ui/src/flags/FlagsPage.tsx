import { Switch, Table, Text } from '@mantine/core'
import { useMemo } from 'react'
import { parseFlags, type Flag } from '../answers/status'
import { useAnswer } from '../answers/useAnswer'
import { Answered, Empty, Filters, Page, Shown } from '../parts/Page'
import { SearchField } from '../parts/SearchField'
import { useUrlState } from '../parts/urlState'
import { filterFlags } from './filter'

export default function FlagsPage() {
  const query = useAnswer('api/v1/status/flags', {}, parseFlags)
  return (
    <Page title="Flags" about="The flags of this process with the values that hold; secrets are not shown.">
      <Answered query={query} what="the flags">
        {(flags) => <Flags flags={flags} />}
      </Answered>
    </Page>
  )
}

function Flags({ flags }: { flags: readonly Flag[] }) {
  const url = useUrlState()
  const search = url.text('search')
  const onlySet = url.text('set') === '1'
  const found = useMemo(() => filterFlags(flags, search, onlySet), [flags, search, onlySet])
  return (
    <>
      <Filters>
        <SearchField
          label="Search flags"
          placeholder="name or value"
          value={search}
          onChange={(text) => {
            url.set({ search: text })
          }}
        />
        <Switch
          label="Only those with a value"
          checked={onlySet}
          onChange={(event) => {
            url.set({ set: event.currentTarget.checked ? '1' : null })
          }}
          pb={8}
        />
      </Filters>
      <Shown shown={found.length} all={flags.length} what="flags" />
      {found.length === 0 ? (
        <Empty title="No flag matches.">Change the search.</Empty>
      ) : (
        <Table striped layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">Flag</Table.Th>
              <Table.Th scope="col">Value</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.map((flag) => (
              <Table.Tr key={flag.name}>
                <Table.Th scope="row" fw={400} className="av-break">
                  --{flag.name}
                </Table.Th>
                <Table.Td className="av-break">
                  {flag.value === '' ? (
                    <Text size="sm" className="av-quiet" component="span">
                      empty
                    </Text>
                  ) : (
                    flag.value
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </>
  )
}
