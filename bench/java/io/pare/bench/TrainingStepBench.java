package io.pare.bench;

import io.pare.descent.Optimizer;
import io.pare.descent.Update;
import io.pare.exec.Tape;
import io.pare.natives.NativeThreads;
import io.pare.net.Models;
import io.pare.train.Network;
import java.util.Random;
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

/**
 * One LeNet-5 training step, ours and libtorch's: same layers, batch and number of threads, fp32, Adam.
 *
 * <p>The batch is there before the step in both. Pin the process to as many cores as threads, and set
 * {@code OMP_NUM_THREADS} to the number of threads ({@link TorchThreads}).
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 2, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class TrainingStepBench {
    /** Ours. */
    @State(Scope.Benchmark)
    public static class Pare {
        @Param({"1", "2"})
        private int threads;
        @Param({"64", "256"})
        private int batch;

        private final Optimizer optimizer = Optimizer.ADAM;
        private Network network;
        private Tape tape;
        private Update update;
        private long steps;

        /** The state outside JMH. */
        static Pare of(int threads, int batch) {
            Pare state = new Pare();
            state.threads = threads;
            state.batch = batch;
            state.open();
            return state;
        }

        @Setup(Level.Trial)
        public void open() {
            NativeThreads.set(threads);
            network = Network.create(Models.lenet5(), 1, true);
            network.prepare(optimizer);
            tape = network.trainingTape(batch, true);
            Random random = new Random(1);
            float[] pixels = new float[batch * 28 * 28];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) random.nextGaussian();
            }
            tape.input(Network.IMAGES).copyFrom(pixels);
            for (int i = 0; i < batch; i++) {
                tape.labels().setAtIndex(java.lang.foreign.ValueLayout.JAVA_INT, i, random.nextInt(10));
            }
            update = new Update(network.weights());
        }

        @TearDown(Level.Trial)
        public void close() {
            update.close();
            network.close();
        }

        double forwardBackward() {
            tape.forward(steps++);
            tape.backward();
            return tape.loss();
        }
    }

    /** The peer. */
    @State(Scope.Benchmark)
    public static class Torch {
        @Param({"1", "2"})
        private int threads;
        @Param({"64", "256"})
        private int batch;

        private TorchLeNet5 network;

        @Setup(Level.Trial)
        public void open() {
            network = new TorchLeNet5(threads, batch);
        }

        @TearDown(Level.Trial)
        public void close() {
            network.close();
        }
    }

    /** Forward, backward, Adam. */
    @Benchmark
    public double pareStep(Pare pare) {
        double loss = pare.forwardBackward();
        pare.update.step(pare.optimizer, 1e-4, pare.steps);
        return loss;
    }

    /** Without the optimiser. */
    @Benchmark
    public double pareForwardBackward(Pare pare) {
        return pare.forwardBackward();
    }

    /** Forward, backward, DJL's Adam. */
    @Benchmark
    public float torchStep(Torch torch) {
        return torch.network.step();
    }

    /** Without the optimiser, which DJL composes of several libtorch calls. */
    @Benchmark
    public float torchForwardBackward(Torch torch) {
        return torch.network.forwardBackward();
    }
}
