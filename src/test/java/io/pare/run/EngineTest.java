package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.data.Corpus;
import io.pare.exec.backend.Precision;
import io.pare.natives.NativeThreads;
import io.pare.net.CompressedWeights;
import io.pare.net.PrunedNets;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

class EngineTest {
    private static final CompressedWeights WEIGHTS = PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3);

    @Test
    void threadsAndExecutorsChangeNoBit() {
        int count = 300;
        float[] samples = new float[count * 784];
        Random random = new Random(1);
        for (int i = 0; i < samples.length; i++) {
            samples[i] = random.nextFloat();
        }
        Corpus corpus = Corpus.synthetic(1, 28, 28, 10, 256, 200, 1);
        int before = NativeThreads.get();
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            NativeThreads.set(1);
            float[] expected = Engine.SPARSE.outputs(WEIGHTS, samples, count);
            var measured = Engine.SPARSE.evaluate(WEIGHTS, corpus.test(), corpus.scale(), Precision.FP32);
            NativeThreads.set(3);
            assertArrayEquals(expected, Engine.SPARSE.outputs(WEIGHTS, samples, count));
            assertEquals(measured, Engine.SPARSE.evaluate(WEIGHTS, corpus.test(), corpus.scale(), Precision.FP32));
            Set<String> names = ConcurrentHashMap.newKeySet();
            assertArrayEquals(expected, Engine.SPARSE.outputs(WEIGHTS, samples, count, task -> pool.execute(() -> {
                names.add(Thread.currentThread().getName());
                task.run();
            })));
            assertTrue(names.stream().noneMatch(name -> name.startsWith("pare-")), names.toString());
            assertEquals(measured, Engine.SPARSE.evaluate(WEIGHTS, corpus.test(), corpus.scale(), Precision.FP32,
                    task -> {
                        throw new RejectedExecutionException("full");
                    }));
        } finally {
            NativeThreads.set(before);
        }
    }
}
