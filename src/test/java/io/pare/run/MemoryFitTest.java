package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Augmentation;
import io.pare.descent.Optimizer;
import io.pare.natives.Natives;
import io.pare.net.Models;
import io.pare.train.TrainingMemory;
import io.pare.train.TrainingSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryFitTest {
    @TempDir
    Path groups;

    @Test
    void aRankNeedsMemoryForItsPartOfABatchInPassesThatDivideIt() {
        TrainingSettings whole = new TrainingSettings(96, Optimizer.sgd(0, 0), true, Augmentation.NONE, null, 1);
        List<String> notes = new ArrayList<>();
        for (TrainingSettings each : List.of(whole, whole.on(4))) {
            MemoryFit.of(10_000_000_000L).fit(Models.lenet5(), List.of(each), List.of(), 0, "images take", false,
                    notes::add);
        }
        assertTrue(notes.get(0).startsWith("memory: "), notes.get(0));
        assertTrue(notes.get(1).startsWith("memory of each rank: "), notes.get(1));
        long one = TrainingMemory.of(Models.lenet5(), List.of(whole), Natives.enabled(), List.of()).total();
        long part = TrainingMemory.of(Models.lenet5(), List.of(whole.on(4)), Natives.enabled(), List.of()).total();
        assertTrue(part < one, part + " of " + one);
        // Between the two a rank sees its part at once, and one process its batch in passes.
        MemoryFit between = MemoryFit.of(MemoryFit.PROCESS + (one + part) / 2);
        assertTrue(between.fit(Models.lenet5(), List.of(whole), List.of(), 0, "", false, notes::add).getFirst()
                .accumulate() > 1);
        assertEquals(1, between.fit(Models.lenet5(), List.of(whole.on(4)), List.of(), 0, "", false, notes::add)
                .getFirst().accumulate());
        long eight =
                TrainingMemory.of(Models.lenet5(), List.of(whole.on(4).in(8, 3, false)), Natives.enabled(), List.of())
                        .total();
        TrainingSettings small = MemoryFit.of(MemoryFit.PROCESS + eight)
                .fit(Models.lenet5(), List.of(whole.on(4)), List.of(), 0, "", false, notes::add).getFirst();
        assertEquals(0, 24 % small.accumulate(), "24 images a rank in " + small.accumulate() + " passes");
        assertTrue(small.accumulate() > 1);
    }

    @Test
    void aContainersLimitIsThatOfItsControlGroup() throws IOException {
        assertEquals(MemoryFit.UNLIMITED, MemoryFit.container(groups));
        Path second = groups.resolve("memory.max");
        Files.writeString(second, "max\n");
        assertEquals(MemoryFit.UNLIMITED, MemoryFit.container(groups));
        Path first = Files.createDirectories(groups.resolve("memory")).resolve("memory.limit_in_bytes");
        Files.writeString(first, "9223372036854771712\n");
        assertEquals(MemoryFit.UNLIMITED, MemoryFit.container(groups));
        Files.writeString(first, "268435456\n");
        assertEquals(MemoryFit.of(268_435_456), MemoryFit.container(groups));
        Files.writeString(second, "536870912\n");
        assertEquals(MemoryFit.of(536_870_912), MemoryFit.container(groups));
        Files.writeString(second, "0\n");
        Files.delete(first);
        assertEquals(MemoryFit.UNLIMITED, MemoryFit.container(groups));
    }
}
