package io.pare.bench;

import io.pare.compress.Admm;
import io.pare.compress.constraint.Sparsity;
import io.pare.descent.Optimizer;
import io.pare.exec.Tape;
import io.pare.natives.NativeThreads;
import io.pare.net.Models;
import io.pare.run.NetworkTraining;
import io.pare.train.Network;
import io.pare.train.Weight;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A step of an ADMM pruning loop on LeNet-5, ours and libtorch's: 107 steps with the penalty and one Z and U step, which
 * is an eighth of an epoch of MNIST in batches of 64; the time is that of one step, its share of the update included.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 2, jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class AdmmBench {
    private static final int STEPS = 107;
    private static final int BATCH = 64;
    private static final float RHO = 1e-3f;
    private static final Map<String, Integer> KEPT =
            Map.of("conv1.weight", 150, "conv2.weight", 1250, "fc1.weight", 870, "fc2.weight", 300);

    /** Ours. */
    @State(Scope.Benchmark)
    public static class Pare {
        @Param({"1", "2"})
        private int threads;

        private final Optimizer optimizer = Optimizer.ADAM;
        private Network network;
        private Tape tape;
        private Weight[] weights;
        private Admm admm;
        private long steps;

        @Setup(Level.Trial)
        public void open() {
            NativeThreads.set(threads);
            network = Network.create(Models.lenet5(), 1, true);
            network.prepare(optimizer);
            tape = network.trainingTape(BATCH, true);
            Random random = new Random(1);
            float[] pixels = new float[BATCH * 28 * 28];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) random.nextGaussian();
            }
            tape.input(Network.IMAGES).copyFrom(pixels);
            for (int i = 0; i < BATCH; i++) {
                tape.labels().setAtIndex(java.lang.foreign.ValueLayout.JAVA_INT, i, random.nextInt(10));
            }
            weights = network.weights().toArray(Weight[]::new);
            Admm.Builder builder = Admm.builder().threads(threads);
            NetworkTraining.variables(network).stream().filter(variable -> KEPT.containsKey(variable.name()))
                    .forEach(variable -> builder.constrain(variable, Sparsity.count(KEPT.get(variable.name())), RHO));
            admm = builder.build();
            admm.start();
        }

        @TearDown(Level.Trial)
        public void close() {
            admm.close();
            network.close();
        }
    }

    /** The peer. */
    @State(Scope.Benchmark)
    public static class Torch {
        @Param({"1", "2"})
        private int threads;

        private TorchLeNet5 network;

        @Setup(Level.Trial)
        public void open() {
            network = new TorchLeNet5(threads, BATCH);
            network.startAdmm();
        }

        @TearDown(Level.Trial)
        public void close() {
            network.close();
        }
    }

    /** Ours. */
    @Benchmark
    @OperationsPerInvocation(STEPS)
    public double pare(Pare pare) {
        for (int step = 0; step < STEPS; step++) {
            pare.tape.forward(pare.steps++);
            pare.tape.backward();
            for (Weight weight : pare.weights) {
                pare.optimizer.step(weight, 1e-4, pare.steps);
            }
        }
        pare.admm.update();
        return pare.tape.loss();
    }

    /** The peer. */
    @Benchmark
    @OperationsPerInvocation(STEPS)
    public float torch(Torch torch) {
        float loss = 0;
        for (int step = 0; step < STEPS; step++) {
            loss = torch.network.admmStep(RHO);
        }
        torch.network.admmUpdate(KEPT);
        return loss;
    }
}
