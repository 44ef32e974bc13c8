package io.pare.bench;

import ai.djl.engine.Engine;

/** libtorch on a number of threads, checked: it takes DJL's number for some of its operations only. */
final class TorchThreads {
    private TorchThreads() {}

    /**
     * The engine on {@code threads} threads. Must be the first use of libtorch in the process.
     *
     * <p>libtorch's convolutions ask OpenMP, which reads {@code OMP_NUM_THREADS} once, when it is loaded. On one pinned
     * core its second thread made them three times slower than they are.
     *
     * @throws IllegalStateException if {@code OMP_NUM_THREADS} is not {@code threads}
     */
    static Engine engine(int threads) {
        String openMp = System.getenv("OMP_NUM_THREADS");
        if (!Integer.toString(threads).equals(openMp)) {
            throw new IllegalStateException("start with OMP_NUM_THREADS=" + threads + " and -p threads=" + threads
                    + ", it is " + openMp + ": libtorch would use another number of threads");
        }
        System.setProperty("ai.djl.pytorch.num_threads", openMp);
        System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
        return Engine.getEngine("PyTorch");
    }
}
