package io.pare.bench;

import io.pare.data.Augmentation;
import io.pare.data.Batches;
import io.pare.data.Dataset;
import io.pare.data.Mnist;
import io.pare.data.Shift;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a batch of 64 MNIST images costs before training sees it, and that it allocates nothing (-prof gc). */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class BatchesBench {
    @Param({"0", "1"})
    private float shift;

    @Param({"false", "true"})
    private boolean subPixel;

    private Region region;
    private Batches batches;
    private FloatTensor images;
    private MemorySegment labels;

    @Setup(Level.Trial)
    public void open() {
        Dataset train = Mnist.embedded().train();
        batches = Batches.shuffled(train, 64, InputScale.MNIST, Augmentation.of(new Shift(shift, subPixel)), 1);
        region = Region.shared("bench");
        images = region.tensor(64, 1, 28, 28);
        labels = region.allocate(64 * Integer.BYTES);
    }

    @TearDown(Level.Trial)
    public void close() {
        batches.close();
        region.close();
    }

    /** One batch, and one shuffle of 60,000 images for every 937 batches. */
    @Benchmark
    public int batch() {
        int count = batches.next(images, labels);
        if (count == 0) {
            batches.seek(batches.epoch() + 1, 0);
            count = batches.next(images, labels);
        }
        return count;
    }
}
