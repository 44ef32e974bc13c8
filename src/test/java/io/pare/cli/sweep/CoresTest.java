package io.pare.cli.sweep;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CoresTest {
    /** Linux numbers the first processors of all cores first, and the second ones behind them. */
    @Test
    void jobsGetWholeCores() {
        List<List<Integer>> cores =
                Cores.grouped(List.of(0, 1, 2, 3, 4, 5, 6, 7), processor -> "core " + processor % 4);
        assertEquals(List.of(List.of(0, 4), List.of(1, 5), List.of(2, 6), List.of(3, 7)), cores);
        List<Integer> processors = cores.stream().flatMap(List::stream).toList();
        assertEquals(List.of(List.of(0, 4, 1, 5), List.of(2, 6, 3, 7)), Cores.split(processors, 2, null).parts());
    }

    @Test
    void coresAreSplitWithoutARest() {
        assertEquals(List.of(0, 1, 2, 3, 8), Cores.parsed("0-3,8"));
        for (int cores = 1; cores < 9; cores++) {
            List<Integer> all = IntStream.range(10, 10 + cores).boxed().toList();
            for (int jobs = 1; jobs < 12; jobs++) {
                List<List<Integer>> parts = Cores.split(all, jobs, null).parts();
                assertEquals(jobs, parts.size());
                assertTrue(parts.stream().noneMatch(List::isEmpty) && all.containsAll(parts.stream()
                        .flatMap(List::stream).toList()));
                if (jobs <= cores) {
                    assertEquals(all, parts.stream().flatMap(List::stream).toList());
                    int least = cores / jobs;
                    assertTrue(parts.stream().allMatch(part -> part.size() == least || part.size() == least + 1));
                }
            }
        }
        assertEquals(List.of(), Cores.split(List.of(0), 1, null).pin(0));
        assertEquals("[taskset, --cpu-list, 4,5]",
                Cores.split(List.of(3, 4, 5), 2, Path.of("taskset")).pin(1).toString());
    }
}
