//! The operations on streams; see [`Items`].

use crate::error::Result;
use crate::item::request::{
    DescribeStream, GetRecords, GetRecordsOutput, GetShardIterator, ListStreams, ListStreamsOutput, StreamDescription,
};
use crate::item::{Items, stream};
use crate::txn::Scope;

impl<S: Scope> Items<S> {
    /// Lists streams; see [`ListStreams`].
    ///
    /// # Cost
    /// One step for each table.
    ///
    /// # Examples
    /// ```
    /// let all = larder::item::request::ListStreams::default();
    /// assert!(larder::Store::in_memory().items().list_streams(&all)?.streams.is_empty());
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn list_streams(&self, request: &ListStreams) -> Result<ListStreamsOutput> {
        self.read("list_streams", "", true, |view, _| stream::list(view, &self.place, request))
    }

    /// Describes a stream and its shards; see [`DescribeStream`].
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::DescribeStream::default();
    /// assert!(larder::Store::in_memory().items().describe_stream(&nothing).is_err());
    /// ```
    pub fn describe_stream(&self, request: &DescribeStream) -> Result<StreamDescription> {
        self.read("describe_stream", &request.stream_arn, true, |view, _| stream::describe(view, &self.place, request))
    }

    /// Chooses where to read a shard from; see [`GetShardIterator`].
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::GetShardIterator::default();
    /// assert!(larder::Store::in_memory().items().get_shard_iterator(&nothing).is_err());
    /// ```
    pub fn get_shard_iterator(&self, request: &GetShardIterator) -> Result<String> {
        self.read("get_shard_iterator", &request.stream_arn, true, |view, _| {
            stream::get_shard_iterator(view, &self.place, request)
        })
    }

    /// Reads records of a shard; see [`GetRecords`].
    ///
    /// # Cost
    /// O(log n + k) for k records.
    ///
    /// # Examples
    /// ```
    /// let nothing = larder::item::request::GetRecords::default();
    /// assert!(larder::Store::in_memory().items().get_records(&nothing).is_err());
    /// ```
    pub fn get_records(&self, request: &GetRecords) -> Result<GetRecordsOutput> {
        self.read("get_records", "", true, |view, _| stream::get_records(view, &self.place, request))
    }
}
