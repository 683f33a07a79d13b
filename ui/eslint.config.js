import js from '@eslint/js'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'eslint.config.js'] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      // tsconfig.json asks for brackets where a name comes from outside.
      '@typescript-eslint/dot-notation': 'off',
      // An index below the length of its array needs no check; asserting that is plainer than a value that
      // never stands in for it.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Inside of tables and handlers of events a block for one call is only noise.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'texts of others are text' },
        { property: 'outerHTML', message: 'texts of others are text' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'texts of others are text' },
      ],
    },
  },
  {
    files: ['**/*.test.ts', '**/*.test.tsx', '**/testing.ts', '**/testing.tsx'],
    rules: {
      // What the answers of servers hold.
      'no-loss-of-precision': 'off',
      'no-restricted-properties': 'off',
    },
  },
)
