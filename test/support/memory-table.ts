export { createMemoryTable, type MemoryTable } from '../../simulation/memory-table.ts';
