package io.pare.bench;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Locale;

/**
 * {@link ConvBench} and a step of {@link TrainingStepBench} on one thread by CPU time, ours and libtorch's in turns within
 * one process: for machines on which other programs run, whose time slices would be counted as ours by a clock on the
 * wall.
 *
 * <p>Says nothing about two threads: there a worker that waits for another's time slice spins, which is CPU time too.
 * {@code OMP_NUM_THREADS=1 java --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp
 * target/benchmarks.jar io.pare.bench.ConvCpuTime}
 */
public final class ConvCpuTime {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int WARM_UP = 50;

    private ConvCpuTime() {}

    public static void main(String[] args) {
        TrainingStepBench.Pare step = TrainingStepBench.Pare.of(1, 64);
        TorchLeNet5 torchStep = new TorchLeNet5(1, 64);
        TrainingStepBench steps = new TrainingStepBench();
        String[] stepNames = {"pare step", "torch step", "pare without optimiser", "torch without optimiser"};
        print("lenet5 batch 64", stepNames, measure(new Runnable[]{() -> steps.pareStep(step), torchStep::step,
            step::forwardBackward, torchStep::forwardBackward}, 100, 1));
        for (String layer : new String[]{"lenet-conv1", "lenet-conv2", "block-64x56x56"}) {
            ConvBench.Pare pare = ConvBench.Pare.of(layer, 1);
            ConvBench.Torch torch = ConvBench.Torch.of(layer, 1);
            ConvBench bench = new ConvBench();
            String[] names = {"pare forward", "torch forward", "pare forward, row-major", "pare both ways",
                "torch both ways", "pare both ways, row-major"};
            Runnable[] runs = {() -> bench.pareForward(pare), () -> bench.torchForward(torch),
                () -> bench.pareForwardRowMajor(pare), () -> bench.pareForwardBackward(pare),
                () -> bench.torchForwardBackward(torch), () -> bench.pareForwardBackwardRowMajor(pare)};
            double[][] micros = measure(runs, layer.startsWith("block") ? 12 : 60, layer.endsWith("conv1") ? 5 : 1);
            print(layer, names, micros);
            pare.close();
            torch.close();
        }
    }

    private static void print(String what, String[] names, double[][] micros) {
        for (int i = 0; i < names.length; i++) {
            int n = micros[i].length;
            System.out.printf(Locale.ROOT, "%-15s %-26s us: min %6.0f  quartiles %6.0f %6.0f %6.0f%n", what, names[i],
                    micros[i][0], micros[i][n / 4], micros[i][n / 2], micros[i][3 * n / 4]);
        }
    }

    /** Sorted CPU time of each run, in microseconds for one call. */
    private static double[][] measure(Runnable[] runs, int rounds, int calls) {
        for (Runnable run : runs) {
            for (int i = 0; i < WARM_UP; i++) {
                run.run();
            }
        }
        double[][] micros = new double[runs.length][rounds];
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < runs.length; i++) {
                long start = THREADS.getCurrentThreadCpuTime();
                for (int call = 0; call < calls; call++) {
                    runs[i].run();
                }
                micros[i][round] = (THREADS.getCurrentThreadCpuTime() - start) / 1e3 / calls;
            }
        }
        for (double[] row : micros) {
            Arrays.sort(row);
        }
        return micros;
    }
}
