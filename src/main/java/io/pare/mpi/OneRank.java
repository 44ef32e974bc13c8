package io.pare.mpi;

import java.lang.foreign.MemorySegment;

/** A process that is alone. */
final class OneRank implements Ranks {
    static final OneRank INSTANCE = new OneRank();

    private static final Transfer DONE = new Transfer() {
        @Override
        public void start() {}

        @Override
        public boolean test() {
            return true;
        }

        @Override
        public void await() {}
    };

    private OneRank() {}

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public int size() {
        return 1;
    }

    @Override
    public int here() {
        return 1;
    }

    @Override
    public String words() {
        return "one process";
    }

    @Override
    public byte[][] gather(byte[] own) {
        return new byte[][]{own};
    }

    @Override
    public byte[] fromFirst(byte[] own) {
        return own;
    }

    @Override
    public void from(int rank, MemorySegment memory) {}

    @Override
    public Transfer sum(MemorySegment floats) {
        return DONE;
    }

    @Override
    public Transfer exchange(MemorySegment send, MemorySegment receive) {
        return new Transfer() {
            @Override
            public void start() {
                receive.copyFrom(send);
            }

            @Override
            public boolean test() {
                return true;
            }

            @Override
            public void await() {}
        };
    }

    @Override
    public Transfer spread(MemorySegment parts) {
        return DONE;
    }

    @Override
    public <T, E extends Exception> T together(Work<T, E> work) throws E {
        return work.run();
    }

    @Override
    public void endTogether() {}
}
